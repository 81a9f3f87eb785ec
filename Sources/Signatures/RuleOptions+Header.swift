extension ParsedRule {
    /// Tests of single header fields. Returns whether the option is one of these.
    mutating func applyHeader(_ name: String, _ value: RuleText?) throws(Rejection) -> Bool {
        switch name {
        case "dsize": try packetCondition(.payloadSize, name, value, maximum: 65_535)
        case "itype": try packetCondition(.icmpType, name, value, maximum: 255)
        case "icode": try packetCondition(.icmpCode, name, value, maximum: 255)
        case "icmp_id": try packetCondition(.icmpIdentifier, name, value, maximum: 65_535)
        case "icmp_seq": try packetCondition(.icmpSequence, name, value, maximum: 65_535)
        case "igmp.type": try packetCondition(.igmpType, name, value, maximum: 255)
        case "l3_proto":
            let version = try required(name, value).string.lowercased()
            guard ["ipv4", "ip4", "ipv6", "ip6"].contains(version) else {
                throw Rejection("l3_proto is ipv4 or ipv6")
            }
            conditions.append(Condition(.ipVersion, .exactly, bits: version.hasSuffix("4") ? 4 : 6))
        case "icmpv6.mtu": try packetCondition(.pathMTU, name, value, maximum: Int(UInt32.max))
        case "ttl": try packetCondition(.hopLimit, name, value, maximum: 255)
        case "tos": try applyTOS(try required(name, value))
        case "id": try packetCondition(.identification, name, value, maximum: 65_535)
        case "fragoffset": try packetCondition(.fragmentOffset, name, value, maximum: 8_191)
        case "seq", "tcp.seq": try packetCondition(.sequence, name, value, maximum: Int(UInt32.max))
        case "ack", "tcp.ack": try packetCondition(.acknowledgement, name, value, maximum: Int(UInt32.max))
        case "window", "tcp.window": try packetCondition(.window, name, value, maximum: 65_535)
        case "tcp.mss": try packetCondition(.maximumSegment, name, value, maximum: 65_535)
        case "tcp.wscale": try packetCondition(.windowScale, name, value, maximum: 255)
        case "flags", "tcp.flags":
            conditions.append(Condition(try FlagsTest(try required(name, value))))
            isPacketOnly = true
        case "sameip":
            conditions.append(Condition(.sameAddress, .any, bits: 1))
            isPacketOnly = true
        case "ip_proto": try applyProtocol(try required(name, value))
        case "ipopts": try applyOptions(try required(name, value))
        case "fragbits": try applyFragmentBits(try required(name, value))
        case "vlan.id": try applyVLAN(try required(name, value))
        case "vlan.layers": try packetCondition(.vlanLayers, name, value, maximum: 3)
        case "decode-event", "engine-event":
            let text = try required(name, value).string
            guard let event = EventNames.decoder(text) else { throw Rejection("unknown decoder event \(text)") }
            conditions.append(Condition(.decodeEvent, .any, bits: 1, auxiliary: Int16(event)))
            isDecoderRule = true
        case let keyword where Checksum.named(keyword) != nil:
            try applyChecksum(Checksum.named(keyword)!, try required(name, value))
        case "rpc":
            append(.remoteCall(try RemoteCall(try required(name, value))), to: .payload)
            isPacketOnly = true
        default: return false
        }
        return true
    }

    mutating func condition(
        _ field: Field, _ name: String, _ value: RuleText?, maximum: Int, auxiliary: Int16 = 0
    ) throws(Rejection) {
        let test = try NumberTest(try required(name, value), keyword: name, maximum: maximum)
        conditions.append(Condition(field, test, auxiliary: auxiliary))
    }

    /// A condition that only a packet can meet, so that the rule looks at single packets and not at streams.
    private mutating func packetCondition(
        _ field: Field, _ name: String, _ value: RuleText?, maximum: Int
    ) throws(Rejection) {
        try condition(field, name, value, maximum: maximum)
        isPacketOnly = true
    }

    /// Hexadecimal numbers may have an `x` alone before them.
    private mutating func applyTOS(_ text: RuleText) throws(Rejection) {
        var number = Array(text)
        if let mark = number.firstIndex(where: { $0.lowercased == UInt8(ascii: "x") }),
            mark == 0 || number[mark - 1] != UInt8(ascii: "0")
        {
            number.insert(UInt8(ascii: "0"), at: mark)
        }
        try packetCondition(.trafficClass, "tos", number[...], maximum: 255)
    }

    /// `valid` or `invalid`, perhaps in quotes.
    private mutating func applyChecksum(_ checksum: Checksum, _ text: RuleText) throws(Rejection) {
        let isValid: Bool
        switch text.string.lowercased().filter({ $0 != "\"" }) {
        case "valid": isValid = true
        case "invalid": isValid = false
        default: throw Rejection("a checksum is valid or invalid")
        }
        conditions.append(
            Condition(.checksum, .exactly, bits: isValid ? 1 : 0, auxiliary: checksum.rawValue))
        isPacketOnly = true
    }

    /// A number or a name (IANA protocol numbers), with `!`, `<` or `>` before it.
    private mutating func applyProtocol(_ text: RuleText) throws(Rejection) {
        let signs = text.prefix { "!<>=".utf8.contains($0) || $0.isBlank }
        let rest = text.dropFirst(signs.count).trimmed
        if let number = RuleProtocol.number(ofUpper: rest.string.lowercased()) {
            let plain = Array(signs) + Array(String(number).utf8)
            conditions.append(Condition(.ipProtocol, try NumberTest(plain[...], keyword: "ip_proto", maximum: 255)))
        } else {
            conditions.append(Condition(.ipProtocol, try NumberTest(text, keyword: "ip_proto", maximum: 255)))
        }
    }

    private mutating func applyOptions(_ text: RuleText) throws(Rejection) {
        guard let option = IPOption.named(text.string.lowercased()) else {
            throw Rejection("ipopts does not know \(text.string)")
        }
        conditions.append(Condition(.ipOptions, .any, bits: Int64(option)))
        isPacketOnly = true
    }

    /// `M`, `D` and `R`; `+` these and others, `*` any of these, `!` not all of these.
    private mutating func applyFragmentBits(_ text: RuleText) throws(Rejection) {
        var bits: Int64 = 0
        var operation: Condition.Operation? = nil
        for letter in text where !letter.isBlank {
            let added: Condition.Operation
            switch letter.lowercased {
            case UInt8(ascii: "m"):
                bits |= 1
                continue
            case UInt8(ascii: "d"):
                bits |= 2
                continue
            case UInt8(ascii: "r"):
                bits |= 4
                continue
            case UInt8(ascii: "+"): added = .all
            case UInt8(ascii: "*"): added = .any
            case UInt8(ascii: "!"): added = .notAll
            default: throw Rejection("fragbits takes letters of MDR and one of + * !")
            }
            guard operation == nil else { throw Rejection("fragbits takes letters of MDR and one of + * !") }
            operation = added
        }
        guard bits != 0 else { throw Rejection("fragbits takes letters of MDR and one of + * !") }
        conditions.append(Condition(.fragmentBits, operation ?? .exactly, bits: bits, counted: 7))
        isPacketOnly = true
    }

    /// `vlan.id:[operator]number[,layer]`
    private mutating func applyVLAN(_ text: RuleText) throws(Rejection) {
        let parts = text.listed
        guard parts.count <= 2 else { throw Rejection("vlan.id takes a number and a layer") }
        var layer = Condition.anyLayer
        if parts.count == 2 {
            switch parts[1].string.lowercased() {
            case "any": layer = Condition.anyLayer
            case "all": layer = Condition.allLayers
            default:
                guard let number = parts[1].number, (-3...2).contains(number) else {
                    throw Rejection("vlan.id's layer is any, all or a number of -3…2")
                }
                layer = Int16(number)
            }
        }
        try condition(.vlan, "vlan.id", parts[0], maximum: 4_095, auxiliary: layer)
        isPacketOnly = true
    }
}

/// The options that `ipopts` names, as bits of one number (IANA, "IP Option Numbers").
enum IPOption {
    private static let names: [(name: String, kind: UInt8)] = [
        ("eol", 0), ("nop", 1), ("rr", 7), ("qs", 25), ("ts", 68), ("sec", 130), ("lsrr", 131), ("lsrre", 131),
        ("esec", 133), ("cipso", 134), ("satid", 136), ("ssrr", 137), ("rtralt", 148),
    ]

    /// The bits of what `ipopts` may name.
    static func named(_ name: String) -> UInt32? {
        if name == "any" { return .max >> 1 }
        guard let kind = names.first(where: { $0.name == name })?.kind else { return nil }
        return bit(of: kind)
    }

    /// The bit of an option's kind: the copied flag and the class are left off; their numbers are distinct.
    @inline(__always)
    static func bit(of kind: UInt8) -> UInt32 {
        // Class 2's timestamp is number 4, which nothing else has.
        1 << UInt32(kind & 0x1F)
    }
}
