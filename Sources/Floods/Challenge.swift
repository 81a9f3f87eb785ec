import Evidence
import Wire

/// A frame that asks a source to show that it receives what is sent to it, as if from the host that was asked: a
/// SYN-ACK with a wrong acknowledgement number (`Cookies`), or an answer to a DNS query that says that it was cut
/// short, so that the resolver asks again over TCP.
@frozen
public struct Challenge: Sendable, BitwiseCopyable {
    /// Interface index of the bridge port that it is to leave by: the one that the SYN came in by.
    public var port: UInt32
    /// Bytes of `frame` that count.
    public var length: UInt32
    /// From the Ethernet header on; no shorter frame asks for it than it is itself.
    public var frame = InlineArray<344, UInt8>(repeating: 0)
}

/// What one batch of packets asked to be sent, in fixed space: whoever drives the inspector sends and empties
/// it. What finds no room is not sent, and the SYN is treated as one beyond the cap.
@safe
public struct ChallengeBuffer: ~Copyable, @unchecked Sendable {
    public static let capacity = 64
    public private(set) var count = 0
    private let storage: UnsafeMutablePointer<Challenge>

    init() { unsafe storage = .allocate(capacity: ChallengeBuffer.capacity) }

    deinit { unsafe storage.deallocate() }

    var isFull: Bool { count == ChallengeBuffer.capacity }

    public subscript(index: Int) -> Challenge {
        precondition(index >= 0 && index < count)
        return unsafe storage[index]
    }

    public mutating func removeAll() { count = 0 }

    /// `body` gets the frame that is sent to `challenge.port`.
    public func withFrame<T>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> T) -> T {
        precondition(index >= 0 && index < count)
        let length = unsafe Int(storage[index].length)
        return unsafe withUnsafeBytes(of: &storage[index].frame) { bytes in
            unsafe body(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        }
    }

    /// Writes the challenge to the SYN `packet`. `guestMAC` is who it was sent to.
    mutating func append(
        _ packet: Packet, _ arrival: Arrival, guestMAC: UInt64, sequence: UInt32, cookie: UInt32
    ) {
        append(packet, arrival, guestMAC: guestMAC) {
            $0.synAck(answering: packet, sequence: sequence, acknowledgement: cookie)
        }
    }

    /// Writes the truncated answer to the query that `packet` carries in `bytes`.
    mutating func append(truncating query: DNSQuery, _ packet: Packet, _ arrival: Arrival, guestMAC: UInt64) {
        append(packet, arrival, guestMAC: guestMAC) { $0.truncated(answering: packet, query) }
    }

    @inline(__always)
    private mutating func append(
        _ packet: Packet, _ arrival: Arrival, guestMAC: UInt64, _ write: (inout FrameWriter) -> Void
    ) {
        guard !isFull else { return }
        let next = unsafe storage + count
        unsafe next.initialize(to: Challenge(port: arrival.port, length: 0))
        let length = unsafe withUnsafeMutableBytes(of: &next.pointee.frame) { bytes in
            var writer = unsafe FrameWriter(bytes: bytes)
            writer.ethernet(from: guestMAC, to: arrival.sourceMAC, arrival, isV4: packet.source.isV4)
            write(&writer)
            return writer.count
        }
        unsafe next.pointee.length = UInt32(length)
        count += 1
    }
}

extension Arrival {
    /// Whether it is known where a frame is to be sent that answers this packet.
    var canBeAnswered: Bool { sourceMAC != 0 && port != 0 }
}
