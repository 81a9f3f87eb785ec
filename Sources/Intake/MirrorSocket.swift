import CLinux
import Glibc
import Synchronization

/// The socket of a ring, for those who do not read it: what the kernel counts, where it listens, and what it lets
/// through. Any thread may use it, and it may outlive the ring.
///
/// Reading sets the kernel's counters to 0 (packet(7), PACKET_STATISTICS), so they are summed here, and this is the
/// only place that reads them.
public final class MirrorSocket: Sendable {
    public struct Figures: Sendable, Equatable {
        /// Frames that passed the filter, and those of them that found no room.
        public var came: UInt64 = 0
        public var dropped: UInt64 = 0
        /// Times that the ring was full.
        public var full: UInt64 = 0

        public init() {}

        public static func += (sum: inout Figures, figures: Figures) {
            sum.came &+= figures.came
            sum.dropped &+= figures.dropped
            sum.full &+= figures.full
        }
    }

    private struct State {
        var figures = Figures()
        /// Negative once the ring is gone.
        var descriptor: Int32
    }

    private let state: Mutex<State>

    init(_ descriptor: Int32) { state = Mutex(State(descriptor: descriptor)) }

    public var figures: Figures {
        state.withLock { state in
            MirrorSocket.read(&state)
            return state.figures
        }
    }

    /// Index of the interface that it listens to, up or down; nil once that has gone away, and then for good, even where
    /// another has taken its name (net/core: NETDEV_UNREGISTER; net/packet/af_packet.c, packet_notifier).
    public var interface: UInt32? {
        state.withLock { state in
            let index = flinch_capture_interface(state.descriptor)
            return index > 0 ? UInt32(index) : nil
        }
    }

    /// Lets through what this filter does, from the next frame on; everything without one.
    public func filter(by filter: borrowing FrameFilter) throws(IntakeError) {
        let isTaken = state.withLock { filter.attach(to: $0.descriptor) }
        guard isTaken else { throw IntakeError("cannot attach mirror.filter: \(IntakeError.text(errno))") }
    }

    /// Lets everything through.
    public func removeFilter() throws(IntakeError) {
        let isRemoved = state.withLock { FrameFilter.remove($0.descriptor) }
        guard isRemoved else { throw IntakeError("cannot remove mirror.filter: \(IntakeError.text(errno))") }
    }

    /// Reads for the last time.
    func close() {
        state.withLock { state in
            MirrorSocket.read(&state)
            state.descriptor = -1
        }
    }

    private static func read(_ state: inout State) {
        guard state.descriptor >= 0 else { return }
        var counted = tpacket_stats_v3()
        var length = socklen_t(MemoryLayout<tpacket_stats_v3>.size)
        guard unsafe getsockopt(state.descriptor, SOL_PACKET, PACKET_STATISTICS, &counted, &length) == 0 else { return }
        // `tp_packets` has the dropped ones in it (net/packet/af_packet.c, packet_getsockopt).
        state.figures.came &+= UInt64(counted.tp_packets)
        state.figures.dropped &+= UInt64(counted.tp_drops)
        state.figures.full &+= UInt64(counted.tp_freeze_q_cnt)
    }
}
