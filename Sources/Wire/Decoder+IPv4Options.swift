/// IPv4 options (RFC 791 §3.1): their lengths, and of those that have one, their form.
extension Decoder {
    @inline(never)
    static func readIPv4Options(_ bytes: RawSpan, _ packet: inout Packet) {
        if bytes.byteCount & 7 != 0 { packet.note(.ipv4OptPadRequired) }
        var options = HeaderOptions(bytes)
        var seen: UInt16 = 0
        while let option = options.next() {
            guard let known = KnownOption(option.kind) else {
                packet.note(.ipv4OptInvalid)
                continue
            }
            switch known {
            case .looseRoute, .strictRoute: packet.anomalies.insert(.ipv4SourceRoute)
            case .recordRoute, .timestamp: packet.anomalies.insert(.ipv4RecordsRoute)
            default: break
            }
            let bit = 1 as UInt16 &<< UInt16(known.rawValue)
            if seen & bit != 0 {
                packet.note(.ipv4OptDuplicate)
            } else if let event = known.problem(bytes, option) {
                packet.fault(event)
            } else {
                seen |= bit
            }
        }
        guard options.isMalformed else { return }
        packet.anomalies.insert(.ipv4BadOptionLength)
        if options.endsInKind {
            packet.note(.ipv4OptEolRequired)
        } else {
            packet.fault(.ipv4OptInvalidLen)
            packet.isUndecodable = true
        }
    }
}

private enum KnownOption: UInt8 {
    case recordRoute, quickStart, timestamp, security, looseRoute, extendedSecurity, cipso, stream, strictRoute
    case routerAlert

    init?(_ kind: UInt8) {
        switch kind {
        case 0x07: self = .recordRoute
        case 0x19: self = .quickStart
        case 0x44: self = .timestamp
        case 0x82: self = .security
        case 0x83: self = .looseRoute
        case 0x85: self = .extendedSecurity
        case 0x86: self = .cipso
        case 0x88: self = .stream
        case 0x89: self = .strictRoute
        case 0x94: self = .routerAlert
        default: return nil
        }
    }

    /// What is wrong with the option's data. Lengths in the comparisons count kind and length, as the RFCs do.
    func problem(_ bytes: RawSpan, _ option: HeaderOption) -> DecodeEvent? {
        let length = option.length + 2
        switch self {
        case .quickStart: return length < 8 ? .ipv4OptInvalidLen : nil
        case .security, .extendedSecurity: return length < 3 ? .ipv4OptInvalidLen : nil
        case .stream, .routerAlert: return length != 4 ? .ipv4OptInvalidLen : nil
        case .recordRoute, .looseRoute, .strictRoute:
            guard length >= 3 else { return .ipv4OptInvalidLen }
            // Counted from 1, the first address follows the pointer at 4.
            let pointer = Int(bytes.be8(option.offset))
            return pointer < 4 || pointer % 4 != 0 || pointer > length + 1 ? .ipv4OptMalformed : nil
        case .timestamp:
            guard length >= 5 else { return .ipv4OptInvalidLen }
            let pointer = Int(bytes.be8(option.offset))
            guard pointer >= 5 else { return .ipv4OptMalformed }
            // Flags 1 and 3: an address before each timestamp.
            let flag = bytes.be8(option.offset + 1) & 15
            let size = flag == 1 || flag == 3 ? 8 : 4
            return (pointer - 5) % size != 0 || pointer > length + 1 ? .ipv4OptMalformed : nil
        case .cipso:
            guard length >= 10 else { return .ipv4OptInvalidLen }
            return KnownOption.areTagsWellFormed(
                bytes.between(option.offset + 4, option.offset + option.length)) ? nil : .ipv4OptMalformed
        }
    }

    /// The tags of the Commercial IP Security Option (draft-ietf-cipso-ipsecurity-01 §3.4, FIPS 188).
    private static func areTagsWellFormed(_ bytes: RawSpan) -> Bool {
        var offset = 0
        while offset < bytes.byteCount {
            let left = bytes.byteCount - offset
            guard left >= 2 else { return false }
            let (kind, length) = (bytes.be8(offset), Int(bytes.be8(offset + 1)))
            guard [1, 2, 5, 6, 7].contains(kind), length >= 4, length <= left else { return false }
            // An alignment octet, which only type 7 does without.
            guard kind == 7 || bytes.be8(offset + 2) == 0 else { return false }
            offset += length
        }
        return true
    }
}
