import CLinux
import Glibc
import Synchronization

/// What the kernel counts of a ring. Reading sets the kernel's counters to 0 (packet(7), PACKET_STATISTICS), so
/// they are summed here, and this is the only place that reads them. Any thread may.
public final class MirrorLosses: Sendable {
    public struct Figures: Sendable, Equatable {
        /// Frames that passed the filter, and those of them that found no room.
        public var came: UInt64 = 0
        public var dropped: UInt64 = 0
        /// Times that the ring was full.
        public var full: UInt64 = 0
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
            MirrorLosses.read(&state)
            return state.figures
        }
    }

    /// Reads for the last time.
    func close() {
        state.withLock { state in
            MirrorLosses.read(&state)
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
