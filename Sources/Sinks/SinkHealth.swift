/// How a sink is doing, for `flinch status`.
public struct SinkHealth: Sendable, Equatable {
    public enum State: String, Sendable {
        case working
        /// The last try failed; it tries again by itself.
        case failing
        case stopped
    }

    public var name: String
    /// The kind of channel: "eve", "redis", "mail", …
    public var channel: String
    public var state: State
    /// Lines waiting in memory and, of a durable sink, on disk.
    public var queued: Int
    /// Lines that the receiver has taken.
    public var delivered: UInt64
    /// Lines that it will never have: the queue or the disk was full, it refused them, or the sensor stopped.
    public var dropped: UInt64
    /// Tries that failed.
    public var failures: UInt64
    /// Why the last one did, and when, in nanoseconds since the Unix epoch; nil and 0 if none ever did.
    public var lastError: String?
    public var lastErrorTime: UInt64
}
