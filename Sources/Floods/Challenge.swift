import Evidence
import Wire

/// A frame that asks a source to show that it receives what is sent to it: a SYN-ACK with a wrong
/// acknowledgement number (`Cookies`), as if from the host that was asked.
@frozen
public struct Challenge: Sendable, BitwiseCopyable {
    /// Interface index of the bridge port that it is to leave by: the one that the SYN came in by.
    public var port: UInt32
    /// Bytes of `frame` that count.
    public var length: UInt32
    /// From the Ethernet header on; no shorter frame asks for it than it is itself.
    public var frame = InlineArray<80, UInt8>(repeating: 0)
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
        guard !isFull else { return }
        let next = unsafe storage + count
        unsafe next.initialize(to: Challenge(port: arrival.port, length: 0))
        let length = unsafe withUnsafeMutableBytes(of: &next.pointee.frame) { bytes in
            var writer = unsafe FrameWriter(bytes: bytes)
            writer.ethernet(from: guestMAC, to: arrival.sourceMAC, arrival, isV4: packet.source.isV4)
            writer.synAck(answering: packet, sequence: sequence, acknowledgement: cookie)
            return writer.count
        }
        unsafe next.pointee.length = UInt32(length)
        count += 1
    }
}

/// Writes headers one after the other. `bytes` has room for the longest there are: 78 bytes.
@safe
private struct FrameWriter {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(bytes: UnsafeMutableRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    private mutating func put<T: FixedWidthInteger>(_ number: T) {
        unsafe bytes.storeBytes(of: number.bigEndian, toByteOffset: count, as: T.self)
        count += MemoryLayout<T>.size
    }

    private mutating func put(_ address: Address) {
        if !address.isV4 {
            put(address.high)
            put(address.low)
        } else {
            put(UInt32(truncatingIfNeeded: address.low))
        }
    }

    private mutating func put48(_ number: UInt64) {
        put(UInt16(truncatingIfNeeded: number >> 32))
        put(UInt32(truncatingIfNeeded: number))
    }

    mutating func ethernet(from source: UInt64, to destination: UInt64, _ arrival: Arrival, isV4: Bool) {
        put48(destination)
        put48(source)
        if arrival.hasTag {
            put(UInt16(0x8100))
            put(arrival.tag)
        }
        put(UInt16(isV4 ? 0x0800 : 0x86DD))
    }

    /// IP and TCP headers without options: 40 or 60 bytes, as long as the shortest SYN.
    mutating func synAck(answering packet: Packet, sequence: UInt32, acknowledgement: UInt32) {
        let start = count
        if packet.source.isV4 {
            put(UInt16(0x4500))
            put(UInt16(40))
            put(UInt32(0x0000_4000))  // no identification; don't fragment
            put(UInt16(64 << 8 | 6))
            put(UInt16(0))
            put(packet.destination)
            put(packet.source)
            seal(at: start + 10, from: start, InternetChecksum())
        } else {
            put(UInt32(0x6000_0000))
            put(UInt16(20))
            put(UInt16(6 << 8 | 64))
            put(packet.destination)
            put(packet.source)
        }
        let transport = count
        put(packet.destinationPort)
        put(packet.sourcePort)
        put(sequence)
        put(acknowledgement)
        put(UInt16(0x5012))  // five words, SYN and ACK
        put(UInt16(0xFFFF))
        put(UInt32(0))
        seal(
            at: transport + 16, from: transport,
            InternetChecksum(source: packet.destination, destination: packet.source, protocol: 6, length: 20))
    }

    private mutating func seal(at offset: Int, from start: Int, _ begun: InternetChecksum) {
        var checksum = begun
        let written = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<count])
        unsafe checksum.add(written.bytes)
        unsafe bytes.storeBytes(of: checksum.value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }
}
