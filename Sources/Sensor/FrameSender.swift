import CLinux
import Glibc

/// Sends the frames that inspection asks for, by the bridge port that each is for: they do not pass the
/// bridge, and so not the queues. One worker's.
@safe
struct FrameSender: ~Copyable {
    /// Negative when there is no socket: then nothing is sent, and each frame counts as an error.
    private let descriptor = flinch_frame_socket()

    /// Whether frames can be sent: it takes CAP_NET_RAW.
    var isUsable: Bool { descriptor >= 0 }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Whether the frame was sent. A port whose transmit queue is full does not take it.
    borrowing func send(_ frame: UnsafeRawBufferPointer, by port: UInt32) -> Bool {
        guard isUsable, let start = frame.baseAddress else { return false }
        return unsafe flinch_send_frame(descriptor, port, start, frame.count) == 0
    }
}
