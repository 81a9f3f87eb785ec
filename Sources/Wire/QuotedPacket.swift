/// Whom a packet was from and to that an ICMP error quotes (RFC 792, RFC 4443 §3): its IP header, and of the upper
/// one the ports, which are in the first eight bytes that every error quotes.
public struct QuotedPacket: Sendable, BitwiseCopyable {
    public let source: Address
    public let destination: Address
    public let ipProtocol: UInt8
    /// TCP, UDP and SCTP; 0 for everything else.
    public let sourcePort: UInt16
    public let destinationPort: UInt16

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
        } else if let header = IPv4Header(quoted), header.version == 4, header.fragmentOffset == 0 {
            source = header.source
            destination = header.destination
            ipProtocol = header.protocol
            ports = quoted.clamped(max(IPv4Header.minimumSize, header.headerLength), quoted.byteCount)
        } else {
            return nil
        }
        let hasPorts = [IPProtocol.tcp, IPProtocol.udp, IPProtocol.sctp].contains(ipProtocol) && ports.byteCount >= 4
        sourcePort = hasPorts ? ports.be16(0) : 0
        destinationPort = hasPorts ? ports.be16(2) : 0
    }
}
