import Events
import Evidence
import Store

/// What the configuration says of one sink.
public struct SinkSettings: Sendable, Equatable {
    /// Unlike that of any other sink; also the name of its folder on disk.
    public var name: String
    public var filter: Sink.Filter
    /// Lines that may wait in memory.
    public var queue = 8192
    /// Bytes that may wait on disk; 0 for a sink that is not durable.
    public var spool = 0
    public var channel: ChannelSettings

    public init(name: String, filter: Sink.Filter, channel: ChannelSettings) {
        self.name = name
        self.filter = filter
        self.channel = channel
    }
}

public enum ChannelSettings: Sendable, Equatable {
    case eve(EVEFileSettings)
    case socket(Endpoint)
    case redis(RedisSettings)
    case webhook(WebhookSettings)
    case mail(MailSettings)
    case syslog(SyslogSettings)
    case journal
    case snmp(SNMPSettings)
    case store(StoreSettings)

    /// As the configuration and the status call it.
    public var name: String {
        switch self {
        case .eve: "eve"
        case .socket: "socket"
        case .redis: "redis"
        case .webhook: "webhook"
        case .mail: "mail"
        case .syslog: "syslog"
        case .journal: "journal"
        case .snmp: "snmp"
        case .store: "store"
        }
    }
}

public struct EVEFileSettings: Sendable, Equatable {
    /// When a file is set aside, and how many such are kept.
    public struct Rotation: Sendable, Equatable {
        /// Bytes.
        public var size: Int
        public var keep: Int

        public init(size: Int, keep: Int) {
            self.size = size
            self.keep = keep
        }
    }

    /// "-" for standard output.
    public var path: String
    /// nil: it grows until somebody rotates it.
    public var rotation: Rotation?

    public init(path: String, rotation: Rotation? = nil) {
        self.path = path
        self.rotation = rotation
    }
}

public struct RedisSettings: Sendable, Equatable {
    /// The words of Suricata's `mode`.
    public enum Mode: String, Sendable, CaseIterable {
        case list
        case leftPush = "lpush"
        case rightPush = "rpush"
        case channel, stream
    }

    /// `tcp`, `tls` or `unix`.
    public var server: Endpoint
    public var tls = TLSSettings()
    public var mode = Mode.list
    /// Of the list or stream, or the name of the channel.
    public var key = "suricata"
    public var database = 0
    public var user: String?
    public var password: SecretSource?

    public init(server: Endpoint) { self.server = server }
}

public struct WebhookSettings: Sendable, Equatable {
    /// https, or http.
    public var url: String
    /// What the signature is made with; nil for none.
    public var secret: SecretSource?
    /// A file of certificate authorities instead of the system's.
    public var authorities: String?

    public init(url: String) { self.url = url }
}

public struct MailSettings: Sendable, Equatable {
    public enum Security: String, Sendable, CaseIterable {
        case startTLS = "starttls"
        case tls, none
    }

    public var host: String
    public var port: UInt16
    public var security = Security.startTLS
    public var user: String?
    public var password: SecretSource?
    /// A file of certificate authorities instead of the system's.
    public var authorities: String?
    /// Addresses, without names or brackets.
    public var from: String
    public var to: [String]
    /// Nanoseconds for which events are collected into one message.
    public var digest: UInt64 = 60_000_000_000
    /// Messages an hour about one kind of event.
    public var limit = 4
    /// The sensor's name, for the subject.
    public var sensor = ""

    public init(host: String, port: UInt16, from: String, to: [String]) {
        self.host = host
        self.port = port
        self.from = from
        self.to = to
    }
}

public struct SyslogSettings: Sendable, Equatable {
    /// Numbers of RFC 5424 §6.2.1.
    public enum Facility: Int, Sendable {
        case user = 1
        case daemon = 3
        case auth = 4
        case local0 = 16
        case local1, local2, local3, local4, local5, local6, local7
    }

    public enum Format: String, Sendable, CaseIterable {
        /// A sentence, with the figures as structured data.
        case text
        /// The EVE line.
        case eve
    }

    public var to: Endpoint
    /// Where `to` is `tls`.
    public var tls = TLSSettings()
    /// Suricata's default.
    public var facility = Facility.local5
    public var format = Format.text

    public init(to: Endpoint) { self.to = to }
}

public struct SNMPSettings: Sendable, Equatable {
    public enum Version: String, Sendable, CaseIterable {
        case v2c = "2c"
        case v3 = "3"
    }

    /// What signs and makes keys, in version 3.
    public enum Hash: String, Sendable, CaseIterable { case sha, sha256, sha512 }

    /// `udp`.
    public var to: Endpoint
    public var version: Version
    /// Informs, which the receiver confirms, in place of traps.
    public var isInform = false
    /// Of version 2c.
    public var community: SecretSource?
    /// Of version 3, which is always authenticated and encrypted (AES).
    public var user = ""
    public var hash = Hash.sha256
    public var authentication: SecretSource?
    public var privacy: SecretSource?
    /// Text of this sensor's engine identifier: its name.
    public var engine = ""
    /// Notifications an hour about one kind of event.
    public var limit = 4

    public init(to: Endpoint, version: Version) {
        self.to = to
        self.version = version
    }
}

public struct StoreSettings: Sendable, Equatable {
    public var path: String
    public var retention = StoreWriter.Retention()

    public init(path: String) { self.path = path }
}

/// Where a secret is.
public enum SecretSource: Sendable, Equatable {
    /// A path.
    case file(String)
    /// A name under systemd's `LoadCredential=`.
    case credential(String)
}
