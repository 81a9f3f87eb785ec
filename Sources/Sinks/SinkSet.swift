import CLinux
import Events
import Glibc
import Synchronization

/// All sinks of a sensor.
public final class SinkSet: Outlet {
    private struct Entry {
        var settings: SinkSettings
        var sink: Sink
    }

    /// A sink that cannot be opened, in words for the operator.
    public struct OpenError: Error, CustomStringConvertible {
        public var description: String
    }

    private let entries: Mutex<[Entry]>
    /// The folder of what outlives the sensor.
    private let state: String

    /// Nanoseconds that a sink has for what waits when a reload takes it away.
    private static let reloadPatience: UInt64 = 500_000_000

    /// `state` is made where it is needed.
    public init(_ settings: [SinkSettings], state: String) throws(OpenError) {
        self.state = state
        entries = Mutex(try SinkSet.made(settings, state))
    }

    public func start() throws(ThreadError) {
        for sink in sinks { try sink.start() }
    }

    /// Changes over to other settings: sinks whose settings are the same go on as they are, the others are
    /// stopped and those of the new settings started. What a durable one had on disk is the next one's of its
    /// name. Throws, and changes nothing, when a new one cannot be opened. Takes milliseconds, but where one that
    /// is to go hangs: then up to three seconds.
    public func adopt(_ settings: [SinkSettings]) throws {
        let former = entries.withLock { $0 }
        let kept = former.filter { settings.contains($0.settings) }
        let gone = former.filter { !settings.contains($0.settings) }
        let added = settings.filter { wanted in !kept.contains { $0.settings == wanted } }
        // Opened first to see whether they can be, and without their spools, which the former still write.
        for settings in added { _ = try SinkSet.opened(settings, state) }
        let deadline = flinch_monotonic() &+ SinkSet.reloadPatience
        for entry in gone { entry.sink.finish(by: deadline) }
        for entry in gone { entry.sink.join() }
        let fresh = try SinkSet.made(added, state)
        for entry in fresh { try entry.sink.start() }
        let all = kept + fresh
        entries.withLock { entries in
            entries = settings.compactMap { wanted in all.first { $0.settings == wanted } }
        }
    }

    public func offer(_ reports: [Report]) {
        for sink in sinks { sink.offer(reports) }
    }

    public func reopen() {
        for sink in sinks { sink.reopen() }
    }

    /// Gives all the same time to deliver what waits, and waits for them. In nanoseconds.
    public func stop(patience: UInt64) {
        let sinks = sinks
        let deadline = flinch_monotonic() &+ patience
        for sink in sinks { sink.finish(by: deadline) }
        for sink in sinks { sink.join() }
    }

    /// In the order of the settings.
    public var health: [SinkHealth] { sinks.map(\.health) }

    /// Bytes that may wait in memory.
    public var memoryBytes: Int { sinks.count * Sink.queueBytes }

    private var sinks: [Sink] { entries.withLock { $0.map(\.sink) } }

    // MARK: - Making them

    private static func made(_ settings: [SinkSettings], _ state: String) throws(OpenError) -> [Entry] {
        var made: [Entry] = []
        for settings in settings {
            let channel = try opened(settings, state)
            do {
                let sink = Sink(
                    name: settings.name, channelName: settings.channel.name, filter: settings.filter,
                    queueLines: settings.queue, channel: channel, spool: try spool(settings, state))
                made.append(Entry(settings: settings, sink: sink))
            } catch {
                throw OpenError(description: "sink \(settings.name): \(error)")
            }
        }
        return made
    }

    private static func opened(_ settings: SinkSettings, _ state: String) throws(OpenError) -> any Channel {
        do {
            return try channel(settings.channel, state)
        } catch {
            throw OpenError(description: "sink \(settings.name): \(error)")
        }
    }

    private static func channel(_ settings: ChannelSettings, _ state: String) throws -> any Channel {
        switch settings {
        case .eve(let file): try EVEFileChannel(file)
        case .socket(let endpoint): EVESocketChannel(endpoint)
        case .redis(let redis): try RedisChannel(redis)
        case .webhook(let webhook): try WebhookChannel(webhook)
        case .mail(let mail): try MailChannel(mail)
        case .syslog(let syslog): try SyslogChannel(syslog)
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
