/// The Internet checksum: the ones' complement of the ones' complement sum of 16-bit words (RFC 1071).
///
/// Words are added in the order of this machine, 32 bits at a time into 64, and put right at the end:
/// the sum does not mind (RFC 1071 §2 (B), (C)).
@frozen
public struct InternetChecksum: Sendable, BitwiseCopyable {
    @usableFromInline var sum: UInt64 = 0

    @inlinable
    public init() {}

    /// What a packet's checksum field should hold if it was 0 while it was added; 0 if it was not and is
    /// right. Host order.
    @inlinable
    public var value: UInt16 {
        var folded = (sum & 0xFFFF_FFFF) + (sum >> 32)
        folded = (folded & 0xFFFF) + (folded >> 16 & 0xFFFF) + (folded >> 32)
        folded = (folded & 0xFFFF) + (folded >> 16)
        folded = (folded & 0xFFFF) + (folded >> 16)
        return ~UInt16(bigEndian: UInt16(truncatingIfNeeded: folded))
    }

    /// Adds bytes. Only the last of several may be of an odd length.
    @inlinable
    public mutating func add(_ bytes: RawSpan) {
        let count = bytes.byteCount
        var offset = 0
        var words: UInt64 = 0
        while count - offset >= 8 {
            let pair = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            words &+= (pair & 0xFFFF_FFFF) &+ (pair >> 32)
            offset += 8
        }
        while count - offset >= 2 {
            words &+= UInt64(bytes.be16(offset).bigEndian)
            offset += 2
        }
        if offset < count { words &+= UInt64((UInt16(bytes.be8(offset)) << 8).bigEndian) }
        // Folded here, so that no number of calls overflows.
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32) + (words & 0xFFFF_FFFF) + (words >> 32)
    }

    /// Adds a number of the packet, given in host order.
    @inlinable
    public mutating func add(_ number: UInt32) {
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32) + UInt64(number.bigEndian)
    }

    /// Adds an address as the packet has it: 4 bytes of one that `isV4`, else 16.
    @inlinable
    public mutating func add(_ address: Address) {
        if !address.isV4 {
            add(UInt32(address.high >> 32))
            add(UInt32(truncatingIfNeeded: address.high))
            add(UInt32(address.low >> 32))
        }
        add(UInt32(truncatingIfNeeded: address.low))
    }

    /// The pseudo-header of TCP and UDP over IPv4 (RFC 9293 §3.1, RFC 768) and of every upper protocol over
    /// IPv6 (RFC 8200 §8.1). `length` is that of the upper header and its payload.
    @inlinable
    public init(source: Address, destination: Address, protocol: UInt8, length: Int) {
        add(source)
        add(destination)
        add(UInt32(`protocol`))
        add(UInt32(truncatingIfNeeded: length))
    }
}

extension IPv4Header {
    /// Whether the header checksum is right; false if the header is not whole.
    @inlinable @inline(__always)
    public var hasValidChecksum: Bool {
        headerLength == IPv4Header.minimumSize ? isPlainChecksumValid : isOptionsChecksumValid
    }

    /// Of the twenty bytes of a header without options, nearly all there are.
    @inlinable @inline(__always)
    var isPlainChecksumValid: Bool {
        let (first, second) = (bytes.be64(0), bytes.be64(8))
        let sum =
            (first >> 32) &+ (first & 0xFFFF_FFFF) &+ (second >> 32) &+ (second & 0xFFFF_FFFF) &+ UInt64(bytes.be32(16))
        let folded = (sum >> 32) &+ (sum >> 16 & 0xFFFF) &+ (sum & 0xFFFF)
        return (folded >> 16) &+ (folded & 0xFFFF) == 0xFFFF
    }

    @usableFromInline @inline(never)
    var isOptionsChecksumValid: Bool {
        guard headerLength >= IPv4Header.minimumSize, headerLength <= bytes.byteCount else { return false }
        var checksum = InternetChecksum()
        checksum.add(bytes.between(0, headerLength))
        return checksum.value == 0
    }
}

extension Packet {
    /// Whether the TCP, UDP, ICMP or ICMPv6 checksum is right. `bytes` is what the packet was decoded from.
    ///
    /// nil if that cannot be said: a fragment, a packet that is not whole or that states a wrong length, an
    /// upper protocol without a view, a UDP checksum of 0 (none was made), an IPv6 routing header with
    /// segments left (the sum is over an address that only the routing header has).
    public func hasValidTransportChecksum(in bytes: RawSpan) -> Bool? {
        guard !isFragment, isWhole(in: bytes) else { return nil }
        let segment = bytes.clamped(Int(transportOffset), Int(payloadOffset + payloadLength))
        var checksum = InternetChecksum()
        switch kind {
        case .udp:
            guard let header = UDPHeader(segment), header.checksum != 0,
                header.length == segment.byteCount
            else { return nil }
            fallthrough
        case .tcp, .icmp6:
            guard ipVersion == 4 || !isSourceRouted(bytes) else { return nil }
            checksum = InternetChecksum(
                source: source, destination: destination, protocol: ipProtocol, length: segment.byteCount)
        case .icmp: break
        default: return nil
        }
        checksum.add(segment)
        return checksum.value == 0
    }

    private func isWhole(in bytes: RawSpan) -> Bool {
        anomalies.isDisjoint(with: [.cutByCapture, .ipv4Truncated, .ipv6Truncated])
            && payloadOffset + payloadLength <= bytes.byteCount
    }

    private func isSourceRouted(_ bytes: RawSpan) -> Bool {
        var offset = Int(networkOffset) + IPv6Header.size
        guard var kind = IPv6Header(bytes.clamped(Int(networkOffset), bytes.byteCount))?.nextHeader else {
            return false
        }
        while offset < transportOffset, let header = IPv6Extension(bytes.clamped(offset, bytes.byteCount)) {
            if kind == IPProtocol.routing, header.segmentsLeft > 0 { return true }
            offset += header.length(as: kind)
            kind = header.nextHeader
        }
        return false
    }
}

extension Packet {
    /// Writes the right TCP checksum into bytes that the packet was decoded from and that were changed since.
    public func finishTransportChecksum(in bytes: UnsafeMutableRawBufferPointer) {
        let start = Int(transportOffset)
        let end = Int(payloadOffset) + Int(payloadLength)
        guard kind == .tcp, start >= 0, end - start >= TCPHeader.minimumSize, end <= bytes.count else { return }
        unsafe bytes.storeBytes(of: 0, toByteOffset: start + 16, as: UInt16.self)
        var sum = InternetChecksum(source: source, destination: destination, protocol: 6, length: end - start)
        unsafe sum.add(UnsafeRawBufferPointer(rebasing: bytes[start..<end]).bytes)
        unsafe bytes.storeBytes(of: sum.value.bigEndian, toByteOffset: start + 16, as: UInt16.self)
    }
}
