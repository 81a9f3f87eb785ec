import Sinks
import Store

/// What each kind of sink has of its own.
extension SinkReader {
    func eve(_ section: Section) -> EVEFileSettings? {
        guard let value = section["path"] else {
            section.missing("path", "there is none; write path: and a file, or \"-\" for standard output")
            return nil
        }
        guard let path = value.text("a path, or \"-\" for standard output") else { return nil }
        return EVEFileSettings(
            path: path == "-" ? path : resolved(path),
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

    func redis(_ section: Section) -> RedisSettings? {
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
        guard var server else {
            value.refuse("a server; write it like \"127.0.0.1:6379\", \"[2001:db8::7]:6379\" or unix:/run/redis.sock")
            return nil
        }
        if section["tls"]?.flag() ?? false {
            if server.transport == .unix { section["tls"]?.problem("a Unix socket has none; leave it out") }
            server.transport = .tls
        }
        var settings = RedisSettings(server: server)
        settings.tls = tls(section, isUsed: server.transport == .tls, "tls: true")
        settings.mode = section["mode"]?.choice() ?? settings.mode
        settings.key = section["key"]?.text("a key", atMost: 256) ?? settings.key
        settings.database = section["database"]?.integer(0...1023) ?? 0
        settings.user = section["user"]?.text("a name", atMost: 256)
        settings.password = section["password"].flatMap(secret)
        if settings.user != nil, settings.password == nil { section["user"]?.problem("it needs a password as well") }
        return settings
    }

    func endpoint(_ section: Section, _ key: String, _ allowed: [Endpoint.Transport]) -> Endpoint? {
        let examples: [Endpoint.Transport: String] = [
            .unix: "unix:/run/eve.sock", .unixDatagram: "unix-dgram:/run/eve.sock", .tcp: "tcp:192.0.2.9:514",
            .udp: "udp:192.0.2.9:514", .tls: "tls:logs.example.net:6514",
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

    /// How the server is verified, and what shows who we are. `how` switches TLS on.
    private func tls(_ section: Section, isUsed: Bool, _ how: String) -> TLSSettings {
        var tls = TLSSettings()
        tls.authorities = section["ca"]?.text("a path").map(resolved)
        tls.certificate = section["certificate"]?.text("a path").map(resolved)
        tls.key = section["certificate-key"].flatMap(secret)
        let keys = ["ca", "certificate", "certificate-key"].compactMap { section[$0] }
        if !isUsed {
            for value in keys { value.problem("it is of TLS; write \(how) as well") }
        } else if (section["certificate"] == nil) != (section["certificate-key"] == nil) {
            (section["certificate"] ?? section["certificate-key"])?.problem(
                "certificate and certificate-key go together; write both or none")
        }
        return tls
    }

    /// A secret never stands in the configuration itself.
    func secret(_ value: Value) -> SecretSource? {
        guard value.isMapping else {
            // What it is may be the secret: it is not repeated.
            value.problem(
                "a secret does not belong here; write {file: PATH} with a file of mode 600, or {credential: NAME}")
            return nil
        }
        guard let section = value.section(["file", "credential"]) else { return nil }
        if let path = section["file"]?.text("a path") {
            if section["credential"] != nil { value.problem("file and credential are two places; write one of them") }
            return .file(resolved(path))
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

    func webhook(_ section: Section) -> WebhookSettings? {
        guard let value = section["url"] else {
            section.missing(
                "url", "there is none; write url: and where to post, like https://alerts.example.net/flinch")
            return nil
        }
        guard let url = value.word, SinkReader.isURL(url) else {
            value.refuse("a URL; write one like https://alerts.example.net/flinch, without a password in it")
            return nil
        }
        var settings = WebhookSettings(url: url)
        settings.secret = section["secret"].flatMap(secret)
        settings.authorities = section["ca"]?.text("a path").map(resolved)
        return settings
    }

    private static func isURL(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return false }
        let host = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return !host.isEmpty && !host.contains("@") && text.utf8.count <= 2048
            && text.utf8.allSatisfy { (0x21..<0x7F).contains($0) }
    }

    func mail(_ section: Section) -> MailSettings? {
        let security: MailSettings.Security = section["security"]?.choice() ?? .startTLS
        let ports: [MailSettings.Security: UInt16] = [.startTLS: 587, .tls: 465, .none: 25]
        guard let (host, port) = server(section, standard: ports[security] ?? 25) else { return nil }
        guard let from = address(section, "from"), let to = recipients(section) else { return nil }
        var settings = MailSettings(host: host, port: port, from: from, to: to)
        settings.security = security
        settings.sensor = sensor
        settings.user = section["user"]?.text("a name", atMost: 256)
        settings.password = section["password"].flatMap(secret)
        if (section["user"] == nil) != (section["password"] == nil) {
            (section["user"] ?? section["password"])?.problem("user and password go together; write both or none")
        } else if security == .none, let user = section["user"] {
            user.problem("without TLS the password would be read by anybody; write security: starttls or tls")
        }
        settings.authorities = section["ca"]?.text("a path").map(resolved)
        if let digest = section["digest"]?.integer(0...86_400, "seconds") {
            settings.digest = UInt64(digest) * 1_000_000_000
        }
        settings.limit = section["limit"]?.integer(1...10_000, "messages an hour about one kind") ?? settings.limit
        return settings
    }

    func syslog(_ section: Section) -> SyslogSettings? {
        guard let to = endpoint(section, "to", Endpoint.Transport.allCases) else { return nil }
        var settings = SyslogSettings(to: to)
        settings.tls = tls(section, isUsed: to.transport == .tls, "to: \"tls:HOST:PORT\"")
        let facility: FacilityWord? = section["facility"]?.choice()
        settings.facility = facility?.facility ?? settings.facility
        settings.format = section["format"]?.choice() ?? settings.format
        return settings
    }

    private enum FacilityWord: String, CaseIterable {
        case user, daemon, auth, local0, local1, local2, local3, local4, local5, local6, local7

        var facility: SyslogSettings.Facility {
            switch self {
            case .user: .user
            case .daemon: .daemon
            case .auth: .auth
            case .local0: .local0
            case .local1: .local1
            case .local2: .local2
            case .local3: .local3
            case .local4: .local4
            case .local5: .local5
            case .local6: .local6
            case .local7: .local7
            }
        }
    }

    func snmp(_ section: Section) -> SNMPSettings? {
        guard let (host, port) = server(section, "to", standard: 162) else { return nil }
        let version: SNMPSettings.Version = section["version"]?.choice() ?? .v3
        var settings = SNMPSettings(to: Endpoint(.udp, host: host, port: port), version: version)
        settings.isInform = section["inform"]?.flag() ?? false
        settings.engine = sensor
        settings.limit = section["limit"]?.integer(1...10_000, "notifications an hour about one kind") ?? settings.limit
        let others: [SNMPSettings.Version: [String]] = [
            .v2c: ["user", "hash", "auth-password", "priv-password"], .v3: ["community"],
        ]
        for key in others[version] ?? [] {
            section[key]?.problem("version \(version.rawValue) has none; leave it out")
        }
        switch version {
        case .v2c: settings.community = section["community"].flatMap(secret)
        case .v3:
            settings.user = section["user"]?.text("a name", atMost: 32) ?? ""
            settings.hash = section["hash"]?.choice() ?? settings.hash
            settings.authentication = section["auth-password"].flatMap(secret)
            settings.privacy = section["priv-password"].flatMap(secret)
            for key in ["user", "auth-password", "priv-password"] where section[key] == nil {
                section.missing(key, "there is none; version 3 needs user, auth-password and priv-password")
            }
        }
        return settings
    }

    func store(_ section: Section) -> StoreSettings {
        var settings = StoreSettings(path: section["path"]?.text("a path").map(resolved) ?? state + "/flinch.sqlite")
        settings.retention.days = section["days"]?.integer(1...36_500, "days") ?? settings.retention.days
        settings.retention.bytes = section["size"]?.size(1 << 20...1 << 44) ?? settings.retention.bytes
        return settings
    }

    private func server(
        _ section: Section, _ key: String = "server", standard port: UInt16
    ) -> (host: String, port: UInt16)? {
        guard let value = section[key] else {
            section.missing(key, "there is none; write \(key): and a host, or host:port")
            return nil
        }
        if let word = value.word {
            if let pair = Endpoint.hostAndPort(word) { return pair }
            if let pair = Endpoint.hostAndPort("\(word):\(port)") { return pair }
        }
        value.refuse("a server; write it like mail.example.net, 192.0.2.25:587 or \"[2001:db8::7]:587\"")
        return nil
    }

    private func recipients(_ section: Section) -> [String]? {
        guard let value = section["to"] else {
            section.missing("to", "there is none; write to: [ops@example.net]")
            return nil
        }
        guard let elements = value.elements(like: "[ops@example.net]") else { return nil }
        if elements.isEmpty { value.problem("the list is empty; write at least one address") }
        return elements.compactMap(address)
    }

    private func address(_ section: Section, _ key: String) -> String? {
        guard let value = section[key] else {
            section.missing(key, "there is none; write an address, like flinch@example.net")
            return nil
        }
        return address(value)
    }

    private func address(_ value: Value) -> String? {
        guard let word = value.word, word.utf8.count <= 254,
            word.split(separator: "@", omittingEmptySubsequences: false).filter({ !$0.isEmpty }).count == 2,
            word.count(where: { $0 == "@" }) == 1,
            word.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }), !word.contains(where: { "<>(),;:\\\"".contains($0) })
        else {
            value.refuse("an address, like ops@example.net")
            return nil
        }
        return word
    }

    private func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }
}
