/// The incidents that events may still belong to, in bounded memory.
///
/// An event belongs to the incident of its source; or to one that attacked its source before, which is how an
/// exploit and what the guest does afterwards come together; else it begins one. Floods have one each, because
/// their sources say nothing.
struct OpenIncidents {
    struct Entry {
        var id: Int64
        var actor: String
        /// Microseconds; an incident that was quiet for long is over.
        var last: Int64
        var targets: Set<String>
    }

    /// Microseconds of silence after which an incident is over.
    static let silence: Int64 = 15 * 60 * 1_000_000
    /// Incidents that are open at once; beyond, events of new actors belong to one that is nobody's.
    static let limit = 4096
    private static let targetLimit = 256
    static let nobody = "many"

    private var entries: [Int64: Entry] = [:]
    private var byActor: [String: Int64] = [:]
    /// The latest incident that a host was attacked in.
    private var byTarget: [String: Int64] = [:]

    var count: Int { entries.count }

    /// Who an event is put down to.
    static func actor(of event: StoredEvent) -> String {
        if let flood = event.flood { return "flood:\(flood):\(event.destination)" }
        return event.source
    }

    /// The incident that an event belongs to; nil where it begins one.
    mutating func find(_ event: StoredEvent) -> Int64? {
        forget(before: event.time - OpenIncidents.silence)
        let actor = OpenIncidents.actor(of: event)
        if let id = byActor[actor] { return id }
        if event.flood == nil, let id = byTarget[event.source] { return id }
        return entries.count >= OpenIncidents.limit ? byActor[OpenIncidents.nobody] : nil
    }

    /// The actor under which a new incident is to be opened.
    func newActor(for event: StoredEvent) -> String {
        entries.count >= OpenIncidents.limit ? OpenIncidents.nobody : OpenIncidents.actor(of: event)
    }

    mutating func open(_ entry: Entry) {
        entries[entry.id] = entry
        byActor[entry.actor] = entry.id
        for target in entry.targets { byTarget[target] = entry.id }
    }

    /// Returns true when the destination is a new target of it.
    mutating func touch(_ id: Int64, _ event: StoredEvent) -> Bool {
        guard var entry = entries[id] else { return false }
        entry.last = max(entry.last, event.last)
        let isNew =
            event.flood == nil && !event.destination.isEmpty && event.destination != entry.actor
            && !entry.targets.contains(event.destination) && entry.targets.count < OpenIncidents.targetLimit
        if isNew {
            entry.targets.insert(event.destination)
            byTarget[event.destination] = id
        }
        entries[id] = entry
        return isNew
    }

    mutating func close(_ id: Int64) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        if byActor[entry.actor] == id { byActor[entry.actor] = nil }
        for target in entry.targets where byTarget[target] == id { byTarget[target] = nil }
    }

    /// Looked at all of them now and then, not for each event.
    private var nextSweep: Int64 = 0

    private mutating func forget(before time: Int64) {
        guard time >= nextSweep else { return }
        nextSweep = time + 10_000_000
        for entry in entries.values where entry.last < time && !entry.actor.hasPrefix("flood:") { close(entry.id) }
    }
}
