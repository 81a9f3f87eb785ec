import Events
import Evidence
import Sinks

/// Reads the list of sinks.
struct SinkReader {
    /// The configuration file's folder with a slash at its end, or nothing.
    let folder: String
    /// The sensor's name, and the folder of what outlives it.
    let sensor: String
    let state: String

    private enum Kind: String, CaseIterable { case eve, socket, redis, webhook, mail, syslog, journal, snmp, store }

    private static let common = ["type", "name", "events", "concern", "queue", "spool"]

    func read(_ value: Value) -> [SinkSettings] {
        guard let elements = value.elements(numbered: true, like: "- {type: redis, server: \"127.0.0.1:6379\"}")
        else { return [] }
        var sinks: [SinkSettings] = []
        // The file of `events.eve` has a name too.
        var names = [SinkReader.eveName: 0]
        for element in elements {
            guard element.isMapping, let type = element.peek("type") else {
                element.problem(
                    "it has no type; write type: and one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
                continue
            }
            guard let kind: Kind = type.choice(), let section = element.section(SinkReader.common + keys(kind)),
                let channel = channel(kind, section)
            else { continue }
            sinks.append(sink(section, kind, channel, &names))
        }
        return sinks
    }

    static let eveName = "eve"

    private func keys(_ kind: Kind) -> [String] {
        switch kind {
        case .eve: ["path", "rotate-at", "keep"]
        case .socket: ["to"]
        case .redis:
            ["server", "mode", "key", "database", "user", "password", "tls", "ca", "certificate", "certificate-key"]
        case .webhook: ["url", "secret", "ca"]
        case .mail: ["server", "security", "user", "password", "ca", "from", "to", "digest", "limit"]
        case .syslog: ["to", "facility", "format", "ca", "certificate", "certificate-key"]
        case .journal: []
        case .snmp: ["to", "version", "inform", "community", "user", "hash", "auth-password", "priv-password", "limit"]
        case .store: ["path", "days", "size"]
        }
    }

    private func channel(_ kind: Kind, _ section: Section) -> ChannelSettings? {
        switch kind {
        case .eve: eve(section).map { .eve($0) }
        case .socket: endpoint(section, "to", [.unix, .unixDatagram, .tcp, .udp]).map { .socket($0) }
        case .redis: redis(section).map { .redis($0) }
        case .webhook: webhook(section).map { .webhook($0) }
        case .mail: mail(section).map { .mail($0) }
        case .syslog: syslog(section).map { .syslog($0) }
        case .journal: .journal
        case .snmp: snmp(section).map { .snmp($0) }
        case .store: .store(store(section))
        }
    }

    // MARK: - What all have

    private func sink(
        _ section: Section, _ kind: Kind, _ channel: ChannelSettings, _ names: inout [String: Int]
    ) -> SinkSettings {
        var settings = SinkSettings(
            name: name(section, kind, &names), filter: SinkReader.filter(kind), channel: channel)
        settings.spool = SinkReader.spool(kind)
        if let events = section["events"]?.elements(like: "[alert, flood]") {
            settings.filter.kinds = Set(events.compactMap { $0.choice() })
            if events.isEmpty { section["events"]?.problem("the list is empty; this sink would get nothing") }
        }
        let level: ConcernWord? = section["concern"]?.choice()
        settings.filter.concern = level?.concern ?? settings.filter.concern
        settings.queue = section["queue"]?.integer(16...1 << 20, "events") ?? settings.queue
        if let spool = section["spool"] {
            settings.spool = spool.number == 0 ? 0 : spool.size(1 << 20...16 << 30) ?? 0
        }
        return settings
    }

    /// What a sink gets where the file says nothing: programs get all, people what concerns them.
    private static func filter(_ kind: Kind) -> Sink.Filter {
        switch kind {
        case .eve, .socket, .redis: Sink.Filter()
        case .store: Sink.Filter(kinds: [.alert, .anomaly, .drop, .flood, .stats])
        case .webhook, .mail, .snmp: Sink.Filter(kinds: [.alert, .anomaly, .flood], concern: .medium)
        case .syslog, .journal: Sink.Filter(kinds: [.alert, .anomaly, .flood], concern: .low)
        }
    }

    /// Bytes on disk where the file says nothing.
    private static func spool(_ kind: Kind) -> Int {
        switch kind {
        case .eve, .socket, .redis, .syslog, .journal, .store: 0
        case .webhook, .mail, .snmp: 16 << 20
        }
    }

    /// Also a folder's name, so it has no more than letters, digits, dash and underscore.
    private func name(_ section: Section, _ kind: Kind, _ names: inout [String: Int]) -> String {
        guard let value = section["name"] else {
            var name = kind.rawValue
            var number = 2
            while names[name] != nil {
                name = "\(kind.rawValue)-\(number)"
                number += 1
            }
            names[name] = section.whole.line
            return name
        }
        guard let name = value.word, (1...32).contains(name.utf8.count),
            name.utf8.allSatisfy({ SinkReader.isNameByte($0) })
        else {
            value.refuse("a sink's name (1 to 32 letters, digits, - and _)")
            return kind.rawValue
        }
        if let line = names[name] {
            value.problem(
                line == 0
                    ? "\(quoted(name)) is the sink of events.eve; give this one another name"
                    : "\(quoted(name)) is the name of the sink on line \(line) too; give it another")
        }
        names[name] = names[name] ?? value.line
        return name
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private enum ConcernWord: String, CaseIterable {
        case low, medium, high

        var concern: Concern {
            switch self {
            case .low: .low
            case .medium: .medium
            case .high: .high
            }
        }
    }
}
