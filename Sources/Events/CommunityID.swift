import COpenSSL
import Wire

/// The Community ID of a flow, version 1, by which other programs' logs of the same flow are found
/// (github.com/corelight/community-id-spec): SHA-1 of its endpoints in an order that does not depend on the
/// direction.
enum CommunityID {
    /// 20 bytes; nil for what is not IP. `seed` is 0 unless logs of different networks must be kept apart.
    static func digest(_ packet: Packet, seed: UInt16 = 0) -> [UInt8]? {
        guard packet.isIP else { return nil }
        let source = bytes(packet.source)
        let destination = bytes(packet.destination)
        let ports = CommunityID.ports(packet)
        var message = [UInt8(seed >> 8), UInt8(seed & 255)]
        let keepsOrder =
            ports?.isOneWay ?? false
            || source.lexicographicallyPrecedes(destination)
            || source == destination && (ports?.source ?? 0) <= (ports?.destination ?? 0)
        message += keepsOrder ? source + destination : destination + source
        message += [packet.ipProtocol, 0]
        if let ports {
            let (first, second) = keepsOrder ? (ports.source, ports.destination) : (ports.destination, ports.source)
            message += [UInt8(first >> 8), UInt8(first & 255), UInt8(second >> 8), UInt8(second & 255)]
        }
        var digest = [UInt8](repeating: 0, count: 20)
        let isDone = unsafe EVP_Digest(message, message.count, &digest, nil, EVP_sha1(), nil)
        return isDone == 1 ? digest : nil
    }

    private struct Ports {
        var source: UInt16
        var destination: UInt16
        /// Messages that have no answer: the direction is part of the flow.
        var isOneWay = false
    }

    private static func ports(_ packet: Packet) -> Ports? {
        switch packet.kind {
        case .tcp, .udp: Ports(source: packet.sourcePort, destination: packet.destinationPort)
        case .icmp: icmp(packet, answers: [8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10])
        case .icmp6:
            icmp(
                packet,
                answers: [
                    128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139,
                    144: 145, 145: 144,
                ])
        case .otherIP where packet.ipProtocol == IPProtocol.sctp:
            Ports(source: packet.sourcePort, destination: packet.destinationPort)
        default: nil
        }
    }

    /// The type of a message and that of its answer stand for ports.
    private static func icmp(_ packet: Packet, answers: [UInt8: UInt8]) -> Ports {
        guard let answer = answers[packet.icmpType] else {
            return Ports(source: UInt16(packet.icmpType), destination: UInt16(packet.icmpCode), isOneWay: true)
        }
        return Ports(source: UInt16(packet.icmpType), destination: UInt16(answer))
    }

    /// In network order.
    private static func bytes(_ address: Address) -> [UInt8] {
        let high = (0..<8).map { UInt8(truncatingIfNeeded: address.high >> UInt64(56 - 8 * $0)) }
        let low = (0..<8).map { UInt8(truncatingIfNeeded: address.low >> UInt64(56 - 8 * $0)) }
        return address.isV4 ? Array(low[4...]) : high + low
    }
}

extension JSONLine {
    mutating func value(communityID digest: [UInt8]) {
        unsafe value(base64: digest.span.bytes, after: "1:")
    }
}
