/// A fragment of an IP datagram: what it says of itself, and where its parts stand in the bytes that it was
/// decoded from.
@frozen
public struct IPFragment: Sendable {
    /// 16 bits of IPv4, 32 of IPv6.
    public var identification: UInt32
    /// The upper protocol of an IPv4 fragment, which is part of the datagram's name (RFC 791 §3.2). Of IPv6 it
    /// is not, and what a later fragment says of it is not looked at (RFC 8200 §4.5): there it is 44.
    public var ipProtocol: UInt8
    /// Bytes before the data that the whole datagram has too: link headers, the IP header with its options or
    /// with the extension headers before the fragment header.
    public var headerLength: Int
    /// IPv6: where the header is named that follows those, and which it is in the whole datagram.
    public var nextHeaderOffset: Int
    public var nextHeader: UInt8
    /// Its part of the datagram.
    public var data: Range<Int>
    /// Where in the datagram that belongs, 0…65528.
    public var offset: Int
    public var moreFragments: Bool

    /// Behind its last byte in the datagram.
    @inlinable public var end: Int { offset + data.count }
}

extension Packet {
    /// The fragment that this packet is; nil if it is none, is not whole, or if two fragment headers contradict
    /// each other. `bytes` is what the packet was decoded from.
    public func fragment(in bytes: RawSpan) -> IPFragment? {
        guard isFragment, !isUndecodable, anomalies.isDisjoint(with: [.cutByCapture, .ipv4LengthZero]) else {
            return nil
        }
        let start = Int(networkOffset)
        let end = start + Int(statedLength)
        guard start >= 0, end <= bytes.byteCount else { return nil }
        if ipVersion == 4 { return ipv4Fragment(bytes, start, end) }
        return ipv6Fragment(bytes, start, end)
    }

    private func ipv4Fragment(_ bytes: RawSpan, _ start: Int, _ end: Int) -> IPFragment? {
        guard let header = IPv4Header(bytes.from(start)) else { return nil }
        let data = start + header.headerLength
        guard data <= end else { return nil }
        return IPFragment(
            identification: UInt32(header.identification), ipProtocol: header.protocol, headerLength: data,
            nextHeaderOffset: 0, nextHeader: 0, data: data..<end, offset: Int(header.fragmentOffset),
            moreFragments: header.moreFragments)
    }

    private func ipv6Fragment(_ bytes: RawSpan, _ start: Int, _ end: Int) -> IPFragment? {
        guard let header = IPv6Header(bytes.from(start)) else { return nil }
        var kind = header.nextHeader
        var name = start + 6
        var offset = start + IPv6Header.size
        for _ in 0..<Decoder.extensionLimit {
            guard offset <= end, IPProtocol.isExtension(kind), let header = IPv6Extension(bytes.between(offset, end))
            else { return nil }
            let length = header.length(as: kind)
            guard length <= end - offset else { return nil }
            if kind == IPProtocol.fragment {
                guard header.fragmentOffset != 0 || header.moreFragments else { return nil }
                return IPFragment(
                    identification: header.identification, ipProtocol: kind, headerLength: offset,
                    nextHeaderOffset: name, nextHeader: header.nextHeader, data: offset + length..<end,
                    offset: Int(header.fragmentOffset), moreFragments: header.moreFragments)
            }
            kind = header.nextHeader
            name = offset
            offset += length
        }
        return nil
    }
}
