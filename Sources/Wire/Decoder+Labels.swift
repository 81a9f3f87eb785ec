/// Label switching and service chaining: headers that say how to carry a packet, and little or nothing of
/// what it is.
extension Decoder {
    /// RFC 3032: labels of four bytes, the last marked, then what only the routers know. Beside the labels that
    /// name it, its first four bits tell: an IP version, or 0 for the control word of a pseudowire with an
    /// Ethernet frame (RFC 4385 §3).
    static func readMPLS(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        guard packet.enterLayer() else { return }
        var next = offset
        var label: UInt32
        repeat {
            guard bytes.byteCount - next >= 4 else { return packet.halt(.mplsHeaderTooSmall, cut: cut) }
            label = bytes.be32(next)
            next += 4
        } while label & 0x100 == 0
        packet.setPayload(next, end: bytes.byteCount)
        switch label >> 12 {
        case 0:
            _ = readNetwork(bytes, EtherType.ipv4, at: next, cut, &packet)
            return
        case 2:
            _ = readNetwork(bytes, EtherType.ipv6, at: next, cut, &packet)
            return
        case 1: return packet.note(.mplsBadLabelRouterAlert)
        case 3: return packet.note(.mplsBadLabelImplicitNull)
        case 4..<15: return packet.note(.mplsBadLabelReserved)
        default: break
        }
        guard bytes.byteCount - next >= 4 else { return packet.halt(.mplsPktTooSmall, cut: cut) }
        switch bytes.be8(next) >> 4 {
        case 4: _ = readNetwork(bytes, EtherType.ipv4, at: next, cut, &packet)
        case 6: _ = readNetwork(bytes, EtherType.ipv6, at: next, cut, &packet)
        case 0: readEthernet(bytes, at: next + 4, cut, &packet)
        default: packet.fault(.mplsUnknownPayloadType)
        }
    }

    /// RFC 8300 §2: version 2 bits, flags, length in units of four bytes, type of the metadata, next protocol.
    static func readNSH(_ bytes: RawSpan, at offset: Int, _ cut: Bool, _ packet: inout Packet) {
        guard bytes.byteCount - offset >= 8 else { return packet.halt(.nshHeaderTooSmall, cut: cut) }
        guard packet.enterLayer() else { return }
        let word = bytes.be16(offset)
        guard word >> 14 == 0 else { return packet.note(.nshUnsupportedVersion) }
        let length = Int(word & 0x3F) * 4
        guard length < bytes.byteCount - offset else { return packet.halt(.nshBadHeaderLength, cut: cut) }
        switch bytes.be8(offset + 2) & 0x0F {
        case 0, 15: return packet.note(.nshReservedType)
        case 1: guard length == 24 else { return packet.fault(.nshBadHeaderLength) }
        // The base and service path headers are there in any case.
        case 2: guard length >= 8 else { return packet.fault(.nshBadHeaderLength) }
        default: return packet.note(.nshUnsupportedType)
        }
        let next = offset + length
        switch bytes.be8(offset + 3) {
        case 1: _ = readNetwork(bytes, EtherType.ipv4, at: next, cut, &packet)
        case 2: _ = readNetwork(bytes, EtherType.ipv6, at: next, cut, &packet)
        case 3: readEthernet(bytes, at: next, cut, &packet)
        case 5: readMPLS(bytes, at: next, cut, &packet)
        default: packet.note(.nshUnknownPayload)
        }
    }
}
