import Evidence
import Wire

/// Writes headers one after the other. `bytes` has room for the longest frame there is: Ethernet with a tag, IPv6, UDP
/// and the longest DNS query, 337 bytes.
@safe
struct FrameWriter {
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
        ip(answering: packet, IPProtocol.tcp, length: TCPHeader.minimumSize)
        let transport = count
        put(packet.destinationPort)
        put(packet.sourcePort)
        put(sequence)
        put(acknowledgement)
        put(UInt16(0x5012))  // five words, SYN and ACK
        put(UInt16(0xFFFF))
        put(UInt32(0))
        seal(at: transport + 16, from: transport, packet, IPProtocol.tcp)
    }

    /// A query sent back as its own answer: with nothing in it, and cut short (RFC 1035 §4.1.1, QR and TC), so that
    /// who asked asks over TCP (RFC 7766 §5). The additional records stay away, EDNS among them: it is never longer
    /// than what it answers.
    mutating func truncated(answering packet: Packet, _ query: DNSQuery) {
        let length = UDPHeader.size + query.bytes.byteCount
        ip(answering: packet, IPProtocol.udp, length: length)
        let transport = count
        put(packet.destinationPort)
        put(packet.sourcePort)
        put(UInt16(truncatingIfNeeded: length))
        put(UInt16(0))
        let message = count
        put(query.bytes)
        // Of the flags only RD stays, as it was asked.
        unsafe bytes[message + 2] = bytes[message + 2] & 1 | 0x82
        unsafe bytes[message + 3] = 0
        unsafe bytes.storeBytes(of: 0, toByteOffset: message + 10, as: UInt16.self)
        seal(at: transport + 6, from: transport, packet, IPProtocol.udp)
    }

    private mutating func put(_ span: RawSpan) {
        unsafe span.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: $0)
        }
        count += span.byteCount
    }

    /// `length` is that of what follows.
    private mutating func ip(answering packet: Packet, _ number: UInt8, length: Int) {
        let start = count
        if packet.source.isV4 {
            put(UInt16(0x4500))
            put(UInt16(truncatingIfNeeded: IPv4Header.minimumSize + length))
            put(UInt32(0x0000_4000))  // no identification; don't fragment
            put(UInt16(64 << 8 | UInt16(number)))
            put(UInt16(0))
            put(packet.destination)
            put(packet.source)
            seal(at: start + 10, from: start, InternetChecksum())
        } else {
            put(UInt32(0x6000_0000))
            put(UInt16(truncatingIfNeeded: length))
            put(UInt16(number) << 8 | 64)
            put(packet.destination)
            put(packet.source)
        }
    }

    private mutating func seal(at offset: Int, from transport: Int, _ packet: Packet, _ number: UInt8) {
        seal(
            at: offset, from: transport,
            InternetChecksum(
                source: packet.destination, destination: packet.source, protocol: number, length: count - transport))
    }

    private mutating func seal(at offset: Int, from start: Int, _ begun: InternetChecksum) {
        var checksum = begun
        let written = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<count])
        unsafe checksum.add(written.bytes)
        // Of UDP 0 would say that there is none (RFC 768); it is the same number in ones' complement.
        let value = checksum.value == 0 ? 0xFFFF : checksum.value
        unsafe bytes.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }
}
