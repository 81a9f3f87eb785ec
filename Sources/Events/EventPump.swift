import Evidence
import Glibc
import Synchronization

/// Takes events out of the workers' rings and writes them, in a thread of its own.
///
/// Twenty times a second it empties what it finds, up to a limit a pass: an event storm costs the packet
/// path's cores a bounded share, and what is beyond stays in the rings, which count what they lose.
public final class EventPump: Sendable {
    private let loop: Loop
    private let control = Mutex(Control())
    private let unqueued = Atomic<UInt64>(0)

    /// Messages that may wait: floods and statistics, a few a second.
    private static let queueLimit = 1024

    private enum Message {
        case flood(FloodEvent)
        case stats(time: UInt64, uptime: UInt64, counters: [String: UInt64])
    }

    private struct Control: ~Copyable {
        var messages: [Message] = []
        var names: EVENames?
        var reopen = false
        var isStopping = false
        var thread: ServiceThread?
    }

    /// `sensor` is written into each line as `host`. `interval` is in milliseconds.
    public init(
        rings: [EventRing], file: sending EVEFile, names: EVENames, sensor: String? = nil, interval: Int = 50
    ) {
        loop = Loop(rings: rings, file: file, encoder: EVEEncoder(names: names, sensor: sensor))
        loop.interval = interval
    }

    public struct StartError: Error, CustomStringConvertible {
        public var description: String
    }

    public func start() throws(StartError) {
        var code: Int32 = 0
        let thread = ServiceThread(name: "flinch-events", code: &code) { [self] in run() }
        guard let thread else {
            throw StartError(
                description: "cannot start the thread that writes events: "
                    + (unsafe String(cString: strerror(code))))
        }
        control.withLock { $0.thread = thread }
    }

    /// Writes all that waits, and ends. The workers have stopped by then. Calling it again does nothing.
    public func stop() {
        let thread = control.withLock { control in
            control.isStopping = true
            defer { control.thread = nil }
            return control.thread
        }
        thread?.join()
    }

    // MARK: - For any thread

    /// Hands over an event of the controller. False, and counted as lost, when too many wait.
    @discardableResult
    public func post(_ flood: FloodEvent) -> Bool { post(.flood(flood)) }

    /// Hands over a `stats` event. Times as `EVEEncoder.encodeStats` has them.
    @discardableResult
    public func postStats(time: UInt64, uptime: UInt64, counters: [String: UInt64]) -> Bool {
        post(.stats(time: time, uptime: uptime, counters: counters))
    }

    private func post(_ message: Message) -> Bool {
        let isQueued = control.withLock { control in
            guard !control.isStopping, control.messages.count < EventPump.queueLimit else { return false }
            control.messages.append(message)
            return true
        }
        if !isQueued { unqueued.wrappingAdd(1, ordering: .relaxed) }
        return isQueued
    }

    /// New words for the numbers in events, after a reload. Taken into use once all that waits now has been
    /// written with the old ones.
    public func replace(names: EVENames) { control.withLock { $0.names = names } }

    /// Opens the file anew before the next line, for rotation. An error shows in `lastError`.
    public func reopen() { control.withLock { $0.reopen = true } }

    /// Lines written.
    public var written: UInt64 { loop.counters.written }
    /// Events lost before they reached the file: a full ring, too many messages.
    public var lostRing: UInt64 {
        loop.rings.reduce(unqueued.load(ordering: .relaxed)) { $0 + $1.lost }
    }
    /// Lines that could not be written.
    public var lostWrite: UInt64 { loop.counters.lost }
    public var lastError: String? { loop.counters.lastError }

    // MARK: - The thread

    private func run() {
        while true {
            let isStopping = pass()
            if isStopping { break }
            var rest = timespec(
                tv_sec: loop.interval / 1000, tv_nsec: loop.interval % 1000 * 1_000_000)
            unsafe nanosleep(&rest, nil)
        }
        // The producers are gone: as many passes as one ring's worth takes, and not for ever.
        for _ in 0..<loop.passesForAll where loop.isWaiting { loop.drain() }
    }

    private func pass() -> Bool {
        let (messages, names, reopens, isStopping) = control.withLock { control in
            defer {
                control.messages.removeAll(keepingCapacity: true)
                control.names = nil
                control.reopen = false
            }
            return (control.messages, control.names, control.reopen, control.isStopping)
        }
        if reopens { loop.reopen() }
        for message in messages {
            switch message {
            case .flood(let flood): loop.encoder.encode(flood)
            case .stats(let time, let uptime, let counters):
                loop.encoder.encodeStats(time: time, uptime: uptime, counters: counters)
            }
            loop.flushIfLarge()
        }
        loop.drain()
        if let names { loop.encoder.names = names }
        return isStopping
    }

    /// What belongs to the thread alone. Unchecked, because the pump hands it to one thread and keeps to
    /// its counters and rings, which any may read.
    private final class Loop: @unchecked Sendable {
        let rings: [EventRing]
        let counters: EVEFile.Counters
        var encoder: EVEEncoder
        var interval = 50
        private let file: EVEFile
        /// Events taken from one ring in a pass.
        private let portion: Int

        private static let eventsAPass = 8192
        /// Bytes of lines collected before they are written.
        private static let writeSize = 64 << 10

        init(rings: [EventRing], file: EVEFile, encoder: EVEEncoder) {
            self.rings = rings
            self.file = file
            self.encoder = encoder
            counters = file.counters
            portion = max(64, Loop.eventsAPass / max(1, rings.count))
        }

        var isWaiting: Bool { rings.contains { $0.waiting > 0 } }

        var passesForAll: Int { rings.map { $0.capacity / portion + 1 }.max() ?? 0 }

        func drain() {
            for ring in rings {
                ring.drain(max: portion) { event in
                    encoder.encode(copy event)
                    flushIfLarge()
                }
            }
            flush()
        }

        func flushIfLarge() {
            if encoder.count >= Loop.writeSize { flush() }
        }

        private func flush() {
            file.write(encoder.bytes)
            encoder.removeAll()
        }

        func reopen() {
            flush()
            // The file notes why it failed, and the old one stays.
            try? file.reopen()
        }
    }
}
