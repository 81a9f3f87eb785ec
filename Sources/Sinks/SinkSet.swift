import CLinux
import Events

/// All sinks of a sensor.
public final class SinkSet: Sendable {
    public let sinks: [Sink]

    /// A sink that cannot be opened, in words for the operator.
    public struct OpenError: Error, CustomStringConvertible {
        public var description: String
    }

    /// `folder` is where durable sinks keep what waits.
    public init(_ settings: [SinkSettings], folder: String) throws(OpenError) {
        var sinks: [Sink] = []
        for settings in settings {
            do {
                let spool = try SinkSet.spool(settings, folder)
                sinks.append(
                    Sink(
                        name: settings.name, channelName: settings.channel.name, filter: settings.filter,
                        queueLines: settings.queue, channel: try SinkSet.channel(settings.channel), spool: spool))
            } catch {
                throw OpenError(description: "sink \(settings.name): \(error)")
            }
        }
        self.sinks = sinks
    }

    public func start() throws(ThreadError) {
        for sink in sinks { try sink.start() }
    }

    public func reopen() {
        for sink in sinks { sink.reopen() }
    }

    /// Gives all the same time to deliver what waits, and waits for them. In nanoseconds.
    public func stop(patience: UInt64) {
        let deadline = flinch_monotonic() &+ patience
        for sink in sinks { sink.finish(by: deadline) }
        for sink in sinks { sink.join() }
    }

    public var health: [SinkHealth] { sinks.map(\.health) }

    /// Bytes that may wait in memory.
    public var memoryBytes: Int { sinks.count * Sink.queueBytes }

    private static func channel(_ settings: ChannelSettings) throws -> any Channel {
        switch settings {
        case .eve(let file): try EVEFileChannel(file)
        case .socket(let endpoint): EVESocketChannel(endpoint)
        case .redis(let redis): try RedisChannel(redis)
        case .webhook(let webhook): try WebhookChannel(webhook)
        case .mail(let mail): try MailChannel(mail)
        case .syslog(let syslog): SyslogChannel(syslog)
        case .journal: JournalChannel()
        }
    }

    private static func spool(_ settings: SinkSettings, _ folder: String) throws -> Spool? {
        guard settings.spool > 0 else { return nil }
        return try Spool(folder: folder + "/" + settings.name, limit: settings.spool)
    }
}
