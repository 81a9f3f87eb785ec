import CLinux
import Events
import Glibc

/// All sinks of a sensor.
public final class SinkSet: Sendable {
    public let sinks: [Sink]

    /// A sink that cannot be opened, in words for the operator.
    public struct OpenError: Error, CustomStringConvertible {
        public var description: String
    }

    /// `state` is the folder of what outlives the sensor; made where it is needed.
    public init(_ settings: [SinkSettings], state: String) throws(OpenError) {
        var sinks: [Sink] = []
        for settings in settings {
            do {
                let spool = try SinkSet.spool(settings, state)
                sinks.append(
                    Sink(
                        name: settings.name, channelName: settings.channel.name, filter: settings.filter,
                        queueLines: settings.queue, channel: try SinkSet.channel(settings.channel, state), spool: spool)
                )
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

    private static func channel(_ settings: ChannelSettings, _ state: String) throws -> any Channel {
        switch settings {
        case .eve(let file): try EVEFileChannel(file)
        case .socket(let endpoint): EVESocketChannel(endpoint)
        case .redis(let redis): try RedisChannel(redis)
        case .webhook(let webhook): try WebhookChannel(webhook)
        case .mail(let mail): try MailChannel(mail)
        case .syslog(let syslog): SyslogChannel(syslog)
        case .journal: JournalChannel()
        case .store(let store): try openStore(store)
        case .snmp(let snmp): try SNMPChannel(snmp, boots: countBoot(state))
        }
    }

    private static func openStore(_ settings: StoreSettings) throws -> any Channel {
        let folder = settings.path.lastIndex(of: "/").map { String(settings.path[..<$0]) } ?? "."
        unsafe _ = mkdir(folder, 0o750)
        return StoreChannel(settings)
    }

    private static func spool(_ settings: SinkSettings, _ state: String) throws -> Spool? {
        guard settings.spool > 0 else { return nil }
        unsafe _ = mkdir(state, 0o750)
        unsafe _ = mkdir(state + "/spool", 0o700)
        return try Spool(folder: state + "/spool/" + settings.name, limit: settings.spool)
    }

    /// Starts of the sensor, this one counted (snmpEngineBoots).
    private static func countBoot(_ state: String) -> UInt32 {
        unsafe _ = mkdir(state, 0o750)
        let path = state + "/snmp-boots"
        let text = String(decoding: SystemCall.read(path, from: 0, 16) ?? [], as: UTF8.self)
        let boots = min((text.split(separator: "\n").first.flatMap { UInt32($0) } ?? 0) &+ 1, 2_147_483_646)
        SystemCall.replace(path, with: Array("\(boots)\n".utf8))
        return boots
    }
}
