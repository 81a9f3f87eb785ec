/// The incidents that events may still belong to, in bounded memory.
///
/// An event belongs to the incident of its source; or to one that attacked its source before, which is how an
/// exploit and what the guest does afterwards come together; else it begins one. Floods have one each, because
/// their sources say nothing. What is wrong with the form of packets to a flooded host is part of its flood, from
/// moments before it was known to be one to its end: who floods seldom sends packets that are in order.
struct OpenIncidents {
    struct Entry {
        var id: Int64
        var actor: String
        /// Microseconds; an incident that was quiet for long is over.
        var last: Int64
        var targets: Set<String>
        /// Microseconds; of its first event.
        var first: Int64 = .min
        /// Nothing but the form of packets was found.
        var isOfForm = false
    }

    /// Microseconds of silence after which an incident is over.
    static let silence: Int64 = 15 * 60 * 1_000_000
    /// Incidents that are open at once; beyond, events of new actors belong to one that is nobody's.
    static let limit = 4096
    private static let targetLimit = 256
    static let nobody = "many"
    /// Microseconds before a flood is known to be one, in which its first packets may have been found fault with; and
    /// after its end, in which what was gathered of them may still come.
    static let onset: Int64 = 5_000_000
    static let aftermath: Int64 = 60_000_000

    private var entries: [Int64: Entry] = [:]
    private var byActor: [String: Int64] = [:]
    /// The latest incident that a host was attacked in.
    private var byTarget: [String: Int64] = [:]
    /// The flood of a host that is open, or has just ended: its incident, and when it did.
    private var byFlooded: [String: (id: Int64, end: Int64)] = [:]

    var count: Int { entries.count }

    /// Who an event is put down to.
    static func actor(of event: StoredEvent) -> String {
        if let flood = event.flood { return "flood:\(flood):\(event.destination)" }
        return event.source
    }

    /// The incident that an event belongs to; nil where it begins one.
    mutating func find(_ event: StoredEvent) -> Int64? {
        forget(at: event.time)
        let actor = OpenIncidents.actor(of: event)
        if event.isOfForm, let flood = byFlooded[event.destination], event.time <= flood.end { return flood.id }
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
        if let host = OpenIncidents.flooded(entry.actor) { byFlooded[host] = (entry.id, .max) }
    }

    /// The host that an actor `flood:CLASS:HOST` floods; nil for another.
    private static func flooded(_ actor: String) -> String? {
        guard actor.hasPrefix("flood:") else { return nil }
        return actor.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last.map(String.init)
    }

    /// Those that turn out to be the first packets of the flood that `event` opens.
    func beginnings(of event: StoredEvent) -> [Int64] {
        entries.values.filter {
            $0.isOfForm && $0.first >= event.time - OpenIncidents.onset && $0.targets == [event.destination]
        }.map(\.id).sorted()
    }

    /// Returns true when the destination is a new target of it.
    mutating func touch(_ id: Int64, _ event: StoredEvent) -> Bool {
        guard var entry = entries[id] else { return false }
        entry.last = max(entry.last, event.last)
        entry.isOfForm = entry.isOfForm && event.isOfForm
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

    /// `time` is when, in microseconds.
    mutating func close(_ id: Int64, at time: Int64) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        if let host = OpenIncidents.flooded(entry.actor), byFlooded[host]?.id == id {
            let other = entries.values.first { OpenIncidents.flooded($0.actor) == host }
            byFlooded[host] = other.map { ($0.id, .max) } ?? (id, time)
        }
        if byActor[entry.actor] == id { byActor[entry.actor] = nil }
        for target in entry.targets where byTarget[target] == id { byTarget[target] = nil }
    }

    /// Looked at all of them now and then, not for each event.
    private var nextSweep: Int64 = 0

    private mutating func forget(at time: Int64) {
        guard time >= nextSweep else { return }
        nextSweep = time + 10_000_000
        for entry in entries.values
        where entry.last < time - OpenIncidents.silence && !entry.actor.hasPrefix("flood:") {
            close(entry.id, at: time)
        }
        byFlooded = byFlooded.filter { $0.value.end == .max || $0.value.end >= time - OpenIncidents.aftermath }
    }
}
