import CLinux
import Glibc

/// Sends whole frames of the sensor's own by the bridge port that each is for: they do not pass the bridge, and so
/// not the queues. One worker's.
@safe
public struct FrameSender: ~Copyable {
    /// Negative when there is no socket: then nothing is sent, and each frame counts as an error.
    private let descriptor = flinch_frame_socket()

    public init() {}

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Whether frames can be sent: it takes CAP_NET_RAW.
    public var isUsable: Bool { descriptor >= 0 }

    /// Whether the frame was sent. A port whose transmit queue is full does not take it.
    public borrowing func send(_ frame: UnsafeRawBufferPointer, by port: UInt32) -> Bool {
        guard isUsable, let start = frame.baseAddress else { return false }
        return unsafe flinch_send_frame(descriptor, port, start, frame.count) == 0
    }

    /// The port's own hardware address, the first byte in bits 47…40; 0 if it has none or is gone.
    borrowing func hardwareAddress(of port: UInt32) -> UInt64 {
        var bytes = InlineArray<6, UInt8>(repeating: 0)
        let status = unsafe withUnsafeMutablePointer(to: &bytes) { place in
            unsafe place.withMemoryRebound(to: UInt8.self, capacity: 6) {
                unsafe flinch_hardware_address(descriptor, port, $0)
            }
        }
        guard status == 0 else { return 0 }
        var number: UInt64 = 0
        for i in 0..<6 { number = number << 8 | UInt64(bytes[i]) }
        return number
    }
}
