/// An IGMP message (RFC 1112 appendix I, RFC 2236, RFC 3376).
public struct IGMPMessage: ~Escapable {
    public static var minimumSize: Int { 8 }

    public let bytes: RawSpan

    /// nil for less than 8 bytes.
    @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= IGMPMessage.minimumSize else { return nil }
        self.bytes = bytes
    }

    public var type: UInt8 { bytes.be8(0) }

    /// Of the protocol, 1…3; nil for a type that is of none.
    public var version: Int? {
        switch type {
        // A query of version 1 names no time to answer in, one of version 3 is longer.
        case 0x11: bytes.byteCount >= 12 ? 3 : bytes.be8(1) == 0 ? 1 : 2
        case 0x12: 1
        case 0x16, 0x17: 2
        case 0x22: 3
        default: nil
        }
    }

    /// Its length, or what is wrong with it.
    var length: (bytes: Int, problem: DecodeEvent?) {
        switch type {
        case 0x11 where bytes.byteCount >= 12:
            // Sources after 12 bytes.
            let length = 12 + Int(bytes.be16(10)) * 4
            if length >= 65_535 - 24 { return (8, .igmpMalformed) }
            return length <= bytes.byteCount ? (length, nil) : (8, .igmpV3PktTooSmall)
        case 0x22:
            var length = 8
            for _ in 0..<bytes.be16(6) {
                // Type, length of what is not specified, sources, group.
                guard bytes.byteCount - length >= 8 else { return (8, .igmpV3PktTooSmall) }
                let size = Int(bytes.be8(length + 1)) * 4 + Int(bytes.be16(length + 2)) * 4
                length += 8
                guard bytes.byteCount - length >= size else { return (8, .igmpMalformed) }
                length += size
            }
            return (length, nil)
        default: return (8, nil)
        }
    }
}

extension Decoder {
    /// `start` is where `bytes` begin in the packet.
    static func readIGMP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let message = IGMPMessage(bytes) else { return packet.halt(.igmpPktTooSmall, cut: cut) }
        let (length, problem) = message.length
        if let problem { return packet.halt(problem, cut: cut) }
        packet.transportLength = UInt16(truncatingIfNeeded: min(length, 65_535))
        packet.setPayload(start + length, end: start + bytes.byteCount)
    }
}
