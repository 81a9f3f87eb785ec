import Events
import Evidence
import Sinks

/// Reads the list of sinks.
struct SinkReader {
    /// The configuration file's folder with a slash at its end, or nothing.
    let folder: String

    private enum Kind: String, CaseIterable { case eve, socket, redis }

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
        case .redis: ["server", "mode", "key", "database", "user", "password"]
        }
    }

    private func channel(_ kind: Kind, _ section: Section) -> ChannelSettings? {
        switch kind {
        case .eve: eve(section).map { .eve($0) }
        case .socket: endpoint(section, "to", Endpoint.Transport.allCases).map { .socket($0) }
        case .redis: redis(section).map { .redis($0) }
        }
    }

    // MARK: - What all have

    private func sink(
        _ section: Section, _ kind: Kind, _ channel: ChannelSettings, _ names: inout [String: Int]
    ) -> SinkSettings {
        var settings = SinkSettings(name: name(section, kind, &names), filter: Sink.Filter(), channel: channel)
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

    // MARK: - What each has

    private func eve(_ section: Section) -> EVEFileSettings? {
        guard let value = section["path"] else {
            section.missing("path", "there is none; write path: and a file, or \"-\" for standard output")
            return nil
        }
        guard let path = value.text("a path, or \"-\" for standard output") else { return nil }
        return EVEFileSettings(
            path: path == "-" ? path : path.hasPrefix("/") ? path : folder + path,
            rotation: SinkReader.rotation(section))
    }

    /// `rotate-at` and `keep`, which a section of an EVE file has.
    static func rotation(_ section: Section) -> EVEFileSettings.Rotation? {
        let keep = section["keep"]?.integer(1...1000, "files")
        guard let size = section["rotate-at"]?.size(1 << 16...1 << 40) else {
            if let value = section["keep"], section["rotate-at"] == nil {
                value.problem("it needs rotate-at, the size at which a file is set aside")
            }
            return nil
        }
        return EVEFileSettings.Rotation(size: size, keep: keep ?? 5)
    }

    private func redis(_ section: Section) -> RedisSettings? {
        guard let value = section["server"] else {
            section.missing("server", "there is none; write server: and host:port, or unix:/path")
            return nil
        }
        var server: Endpoint?
        if let word = value.word, word.hasPrefix("unix:") {
            server = Endpoint(word)
        } else if let word = value.word, let (host, port) = Endpoint.hostAndPort(word) {
            server = Endpoint(.tcp, host: host, port: port)
        }
        guard let server else {
            value.refuse("a server; write it like \"127.0.0.1:6379\", \"[2001:db8::7]:6379\" or unix:/run/redis.sock")
            return nil
        }
        var settings = RedisSettings(server: server)
        settings.mode = section["mode"]?.choice() ?? settings.mode
        settings.key = section["key"]?.text("a key", atMost: 256) ?? settings.key
        settings.database = section["database"]?.integer(0...1023) ?? 0
        settings.user = section["user"]?.text("a name", atMost: 256)
        settings.password = section["password"].flatMap(secret)
        if settings.user != nil, settings.password == nil { section["user"]?.problem("it needs a password as well") }
        return settings
    }

    private func endpoint(_ section: Section, _ key: String, _ allowed: [Endpoint.Transport]) -> Endpoint? {
        let examples: [Endpoint.Transport: String] = [
            .unix: "unix:/run/eve.sock", .unixDatagram: "unix-dgram:/run/eve.sock", .tcp: "tcp:192.0.2.9:514",
            .udp: "udp:192.0.2.9:514",
        ]
        let right = allowed.compactMap { examples[$0] }.joined(separator: ", ")
        guard let value = section[key] else {
            section.missing(key, "there is none; write one like \(right)")
            return nil
        }
        guard let endpoint = value.word.flatMap(Endpoint.init), allowed.contains(endpoint.transport) else {
            value.refuse("a place to send to; write one like \(right)")
            return nil
        }
        return endpoint
    }

    /// A secret never stands in the configuration itself.
    private func secret(_ value: Value) -> SecretSource? {
        guard value.isMapping else {
            // What it is may be the secret: it is not repeated.
            value.problem(
                "a secret does not belong here; write {file: PATH} with a file of mode 600, or {credential: NAME}")
            return nil
        }
        guard let section = value.section(["file", "credential"]) else { return nil }
        if let path = section["file"]?.text("a path") {
            if section["credential"] != nil { value.problem("file and credential are two places; write one of them") }
            return .file(path.hasPrefix("/") ? path : folder + path)
        }
        if let name = section["credential"]?.text("a credential's name", atMost: 255) {
            guard !name.contains("/"), name != ".", name != ".." else {
                section["credential"]?.refuse("a credential's name (no slash)")
                return nil
            }
            return .credential(name)
        }
        if section["file"] == nil, section["credential"] == nil {
            value.problem("it says nothing; write {file: PATH} or {credential: NAME}")
        }
        return nil
    }
}
