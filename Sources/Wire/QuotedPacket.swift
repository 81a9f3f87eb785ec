/// Whom a packet was from and to that an ICMP error quotes (RFC 792, RFC 4443 §3): its IP header, and of the upper
/// one what is in the first eight bytes, which every error quotes.
public struct QuotedPacket: Sendable, BitwiseCopyable {
    public let source: Address
    public let destination: Address
    public let ipProtocol: UInt8
    /// TCP, UDP and SCTP; 0 for everything else.
    public let sourcePort: UInt16
    public let destinationPort: UInt16
    /// Of an echo request; nil for all else.
    public let echoIdentifier: UInt16?
    /// TCP only.
    public let sequence: UInt32?
    /// More fragments follow it.
    public let isFragment: Bool

    /// `message` is an ICMP message from its type on. nil if it quotes no IP header.
    public init?(_ message: RawSpan) {
        let quoted = message.clamped(ICMPHeader.size, message.byteCount)
        guard quoted.byteCount > 0 else { return nil }
        let ports: RawSpan
        if quoted.be8(0) >> 4 == 6, let header = IPv6Header(quoted) {
            source = header.source
            destination = header.destination
            ipProtocol = header.nextHeader
            ports = quoted.clamped(IPv6Header.size, quoted.byteCount)
            isFragment = false
        } else if let header = IPv4Header(quoted), header.version == 4, header.fragmentOffset == 0 {
            source = header.source
            destination = header.destination
            ipProtocol = header.protocol
            ports = quoted.clamped(max(IPv4Header.minimumSize, header.headerLength), quoted.byteCount)
            isFragment = header.moreFragments
        } else {
            return nil
        }
        let hasPorts = [IPProtocol.tcp, IPProtocol.udp, IPProtocol.sctp].contains(ipProtocol) && ports.byteCount >= 4
        sourcePort = hasPorts ? ports.be16(0) : 0
        destinationPort = hasPorts ? ports.be16(2) : 0
        sequence = ipProtocol == IPProtocol.tcp && ports.byteCount >= 8 ? ports.be32(4) : nil
        let isEcho =
            ports.byteCount >= 8
            && (ipProtocol == IPProtocol.icmp && ports.be8(0) == 8
                || ipProtocol == IPProtocol.icmp6 && ports.be8(0) == 128)
        echoIdentifier = isEcho ? ports.be16(4) : nil
    }
}
