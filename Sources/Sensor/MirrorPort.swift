import CLinux
import Glibc
import Intake
import Synchronization

/// An interface that is listened to: the rings of all workers at it, and what is counted of it. It outlives its rings:
/// an interface that is made anew gets others, and is counted on.
@safe
final class MirrorPort: @unchecked Sendable {
    /// Whether frames come.
    enum Condition: String {
        case listening, down, gone
    }

    struct Figures {
        var packets: UInt64 = 0
        var bytes: UInt64 = 0
        var left: UInt64 = 0
        /// Times that it went down or away.
        var errors: UInt64 = 0
        var kernel = MirrorSocket.Figures()
        var condition = Condition.listening
        /// Nanoseconds for which it was not listened to.
        var missing: UInt64 = 0
    }

    private struct State {
        var sockets: [MirrorSocket] = []
        /// What the kernel counted of rings that are no more.
        var past = MirrorSocket.Figures()
        var condition = Condition.listening
        var since: UInt64 = 0
        var missing: UInt64 = 0
    }

    let interface: String
    /// One a worker, which alone writes it.
    let gauges: UnsafeMutablePointer<RingGauges>
    private let workers: Int
    private let state = Mutex(State())

    init(_ interface: String, workers: Int) {
        self.interface = interface
        self.workers = workers
        unsafe gauges = .allocate(capacity: workers)
        for worker in 0..<workers { unsafe (gauges + worker).initialize(to: RingGauges()) }
    }

    deinit {
        unsafe gauges.deinitialize(count: workers)
        unsafe gauges.deallocate()
    }

    /// Other rings from now on. What the former ones' sockets counted stays.
    func adopt(_ sockets: [MirrorSocket]) {
        state.withLock { state in
            for socket in state.sockets { state.past += socket.figures }
            state.sockets = sockets
        }
    }

    var sockets: [MirrorSocket] { state.withLock { $0.sockets } }

    /// Index of the interface that its rings are at; nil once that is gone.
    var index: UInt32? { sockets.first?.interface }

    /// Returns the condition until now, and for how long it was not listened to, in nanoseconds; nil where nothing has
    /// changed. `time`: monotonic.
    func note(_ condition: Condition, _ time: UInt64) -> (former: Condition, missing: UInt64)? {
        state.withLock { state in
            guard condition != state.condition else { return nil }
            defer { state.condition = condition }
            guard state.condition != .listening else {
                state.since = time
                return (.listening, 0)
            }
            let missing = time &- state.since
            if condition == .listening { state.missing &+= missing }
            return (state.condition, missing)
        }
    }

    /// The kernel's are read after ours, so that nothing is missing between them.
    var figures: Figures {
        var sum = Figures()
        for worker in 0..<workers {
            unsafe sum.packets &+= gauges[worker].packets.value
            unsafe sum.bytes &+= gauges[worker].bytes.value
            unsafe sum.left &+= gauges[worker].left.value
            // Each worker is told of each time.
            unsafe sum.errors = max(sum.errors, gauges[worker].errors.value)
        }
        state.withLock { state in
            sum.kernel = state.past
            for socket in state.sockets { sum.kernel += socket.figures }
            sum.condition = state.condition
            sum.missing = state.missing
            if state.condition != .listening { sum.missing &+= flinch_monotonic() &- state.since }
        }
        return sum
    }
}

/// What a worker counts of one interface.
struct RingGauges: ~Copyable {
    /// Frames that were read, and their bytes on the wire.
    let packets = Gauge()
    let bytes = Gauge()
    /// Of them, those that workers of queues inspect.
    let left = Gauge()
    /// Times that the interface went down or away.
    let errors = Gauge()

    func add(packets: UInt64, bytes: UInt64, left: UInt64) {
        self.packets.add(packets)
        self.bytes.add(bytes)
        if left > 0 { self.left.add(left) }
    }
}
