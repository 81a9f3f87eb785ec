import Events
import Evidence

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

    /// As the configuration and the status call it.
    public var name: String {
        switch self {
        case .eve: "eve"
        case .socket: "socket"
        case .redis: "redis"
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

    /// `tcp` or `unix`.
    public var server: Endpoint
    public var mode = Mode.list
    /// Of the list or stream, or the name of the channel.
    public var key = "suricata"
    public var database = 0
    public var user: String?
    public var password: SecretSource?

    public init(server: Endpoint) { self.server = server }
}

/// Where a secret is.
public enum SecretSource: Sendable, Equatable {
    /// A path.
    case file(String)
    /// A name under systemd's `LoadCredential=`.
    case credential(String)
}
