import Flows
import Wire

/// A packet as conditions and buffers see it: headers, the bytes that they were read from, and its flow.
@unsafe
struct Scene {
    let packet: UnsafePointer<Packet>
    let bytes: UnsafePointer<UInt8>
    let count: Int
    let step: FlowStep
    /// 802.1Q tag that was taken off the frame; −1 for none.
    let outerTag: Int32
    let time: UInt64
    let isReassembled: Bool
    /// Checksums are taken for right: somebody else fills them in, or was told not to mind.
    let trustsChecksums: Bool
    let handlings: RuleHandlings
}

extension RuleTables {
    @inline(__always)
    func conditionsHold(_ run: Run, _ scene: Scene) -> Bool {
        var i = run.lower
        while i < run.upper {
            let condition = unsafe conditions + i
            if unsafe condition.pointee.field == .vlan {
                guard unsafe scene.tagsHold(condition) else { return false }
            } else {
                guard let value = unsafe scene.value(of: condition), unsafe condition.pointee.holds(value) else {
                    return false
                }
            }
            i &+= 1
        }
        return true
    }
}

extension Packet {
    fileprivate var isIGMP: Bool { ipVersion == 4 && ipProtocol == IPProtocol.igmp && !isFragment }
}

extension Scene {
    /// nil for what the packet does not have.
    func value(of condition: UnsafePointer<Condition>) -> Int64? {
        switch unsafe condition.pointee.field {
        case .payloadSize: return unsafe Int64(packet.pointee.payloadLength)
        case .icmpType, .icmpCode, .icmpIdentifier, .icmpSequence, .pathMTU:
            return unsafe icmp(condition.pointee.field)
        case .hopLimit: return unsafe packet.pointee.isIP ? Int64(packet.pointee.hopLimit) : nil
        case .trafficClass, .identification, .fragmentBits, .ipOptions: return unsafe ip(condition.pointee.field)
        case .ipProtocol: return unsafe packet.pointee.isIP ? Int64(packet.pointee.ipProtocol) : nil
        case .fragmentOffset:
            // In IPv6 only fragments have one.
            guard unsafe packet.pointee.ipVersion == 4 || packet.pointee.isFragment else { return nil }
            return unsafe Int64(packet.pointee.fragmentOffset >> 3)
        case .ipVersion: return unsafe packet.pointee.isIP ? Int64(packet.pointee.ipVersion) : nil
        case .igmpType:
            guard unsafe packet.pointee.isIGMP else { return nil }
            return unsafe byte(Int(packet.pointee.transportOffset))
        case .sameAddress:
            return unsafe packet.pointee.isIP && packet.pointee.source == packet.pointee.destination ? 1 : 0
        case .tcpFlags: return unsafe packet.pointee.kind == .tcp ? Int64(packet.pointee.tcpFlags.rawValue) : nil
        case .sequence, .acknowledgement, .window: return unsafe tcp(condition.pointee.field)
        case .maximumSegment: return unsafe tcpOption(2, length: 4)
        case .windowScale: return unsafe tcpOption(3, length: 3)
        case .vlan: return nil
        case .vlanLayers: return unsafe Int64(packet.pointee.vlanCount) + (outerTag >= 0 ? 1 : 0)
        case .isARP: return unsafe packet.pointee.kind == .arp ? 1 : nil
        case .isEthernet: return unsafe packet.pointee.linkOffset >= 0 ? 1 : nil
        case .decodeEvent:
            guard let event = unsafe DecodeEvent(rawValue: UInt8(truncatingIfNeeded: condition.pointee.auxiliary))
            else { return nil }
            return unsafe packet.pointee.events.contains(event) ? 1 : nil
        case .streamEvent:
            guard let event = unsafe StreamEvent(rawValue: UInt8(truncatingIfNeeded: condition.pointee.auxiliary))
            else { return nil }
            return unsafe step.events.contains(event) ? 1 : nil
        case .checksum: return unsafe checksum(condition)
        case .flowAge, .packetsToServer, .packetsToClient, .packetsEither, .bytesToServer, .bytesToClient,
            .bytesEither, .streamOfServer, .streamOfClient, .streamOfBoth, .streamOfEither, .application:
            guard let flow = unsafe step.flow else { return nil }
            return unsafe value(of: condition, in: flow)
        }
    }

    // MARK: - Packets

    @inline(__always)
    private func byte(_ offset: Int) -> Int64? {
        unsafe offset >= 0 && offset < count ? Int64(bytes[offset]) : nil
    }

    private func word(_ offset: Int) -> Int64? {
        guard offset >= 0, unsafe offset &+ 2 <= count else { return nil }
        return unsafe Int64(bytes[offset]) << 8 | Int64(bytes[offset &+ 1])
    }

    private func long(_ offset: Int) -> Int64? {
        guard let high = unsafe word(offset), let low = unsafe word(offset &+ 2) else { return nil }
        return high << 16 | low
    }

    private func ip(_ field: Field) -> Int64? {
        let start = unsafe Int(packet.pointee.networkOffset)
        // What IPv6 calls otherwise is none of these (Suricata's detect-tos.c, detect-fragbits.c).
        guard unsafe packet.pointee.ipVersion == 4 else { return nil }
        switch field {
        case .trafficClass: return unsafe byte(start &+ 1)
        case .identification: return unsafe word(start &+ 4)
        // Reserved, do not fragment, more fragments (RFC 791 §3.1): 4, 2, 1.
        case .fragmentBits: return unsafe word(start &+ 6).map { $0 >> 13 }
        default: return unsafe Int64(ipOptions(start))
        }
    }

    /// A bit for each kind of option that is there.
    private func ipOptions(_ start: Int) -> UInt32 {
        guard let first = unsafe byte(start) else { return 0 }
        let end = unsafe min(start &+ Int(first & 0x0F) * 4, count)
        var place = start &+ 20
        var seen: UInt32 = 0
        while place < end {
            let kind = unsafe bytes[place]
            seen |= IPOption.bit(of: kind)
            if kind == 0 { break }
            if kind == 1 {
                place &+= 1
                continue
            }
            guard place &+ 1 < end, unsafe bytes[place &+ 1] >= 2 else { break }
            place = unsafe place &+ Int(bytes[place &+ 1])
        }
        return seen
    }

    private func icmp(_ field: Field) -> Int64? {
        guard unsafe packet.pointee.kind == .icmp || packet.pointee.kind == .icmp6 else { return nil }
        let start = unsafe Int(packet.pointee.transportOffset)
        let type = unsafe packet.pointee.icmpType
        switch field {
        case .icmpType: return Int64(type)
        case .icmpCode: return unsafe Int64(packet.pointee.icmpCode)
        case .pathMTU:
            // Packet too big (RFC 4443 §3.2).
            return unsafe packet.pointee.kind == .icmp6 && type == 2 ? long(start &+ 4) : nil
        default:
            // Only queries and their answers have an identifier and a sequence number (RFC 792, RFC 4443 §4).
            let hasThem =
                unsafe packet.pointee.kind == .icmp
                ? [0, 8, 13, 14, 15, 16, 17, 18].contains(type) : type == 128 || type == 129
            guard hasThem else { return nil }
            return unsafe word(start &+ (field == .icmpIdentifier ? 4 : 6))
        }
    }

    private func tcp(_ field: Field) -> Int64? {
        guard unsafe packet.pointee.kind == .tcp else { return nil }
        let start = unsafe Int(packet.pointee.transportOffset)
        switch field {
        case .sequence: return unsafe long(start &+ 4)
        case .acknowledgement: return unsafe long(start &+ 8)
        default: return unsafe word(start &+ 14)
        }
    }

    /// The value of a TCP option of one or two bytes (RFC 9293 §3.2); nil where there is none.
    private func tcpOption(_ wanted: UInt8, length: Int) -> Int64? {
        guard unsafe packet.pointee.kind == .tcp else { return nil }
        var place = unsafe Int(packet.pointee.transportOffset) &+ 20
        let end = unsafe min(Int(packet.pointee.payloadOffset), count)
        while place < end {
            let kind = unsafe bytes[place]
            if kind == 0 { return nil }
            if kind == 1 {
                place &+= 1
                continue
            }
            guard place &+ 1 < end, unsafe bytes[place &+ 1] >= 2 else { return nil }
            let size = unsafe Int(bytes[place &+ 1])
            if kind == wanted, size == length, place &+ size <= end {
                return unsafe length == 3 ? byte(place &+ 2) : word(place &+ 2)
            }
            place &+= size
        }
        return nil
    }

    /// Tags, the outermost first: the one that was taken off the frame, then those in it.
    private func tag(_ layer: Int) -> Int64? {
        let before = unsafe outerTag >= 0 ? 1 : 0
        if layer == 0, before == 1 { return unsafe Int64(outerTag & 0xFFF) }
        let inner = layer &- before
        guard inner >= 0, unsafe inner < Int(packet.pointee.vlanCount) else { return nil }
        let tag =
            unsafe inner == 0 ? packet.pointee.outerTag : inner == 1 ? packet.pointee.innerTag : packet.pointee.thirdTag
        return Int64(tag & 0xFFF)
    }

    fileprivate func tagsHold(_ condition: UnsafePointer<Condition>) -> Bool {
        let layers = unsafe Int(packet.pointee.vlanCount) &+ (outerTag >= 0 ? 1 : 0)
        guard layers > 0 else { return false }
        let asked = unsafe condition.pointee.auxiliary
        switch asked {
        case Condition.anyLayer:
            for layer in 0..<layers {
                if let tag = unsafe tag(layer), unsafe condition.pointee.holds(tag) { return true }
            }
            return false
        case Condition.allLayers:
            for layer in 0..<layers {
                guard let tag = unsafe tag(layer), unsafe condition.pointee.holds(tag) else { return false }
            }
            return true
        default:
            guard let tag = unsafe tag(asked < 0 ? layers &+ Int(asked) : Int(asked)) else { return false }
            return unsafe condition.pointee.holds(tag)
        }
    }

    // MARK: - Flows

    private func value(of condition: UnsafePointer<Condition>, in flow: UnsafeMutablePointer<Flow>) -> Int64? {
        switch unsafe condition.pointee.field {
        case .flowAge:
            // Whole seconds of the clock.
            let second: UInt64 = 1_000_000_000
            return unsafe Int64(max(time, flow.pointee.firstTime) / second - flow.pointee.firstTime / second)
        case .packetsToServer: return unsafe Int64(flow.pointee.packetsToServer)
        case .packetsToClient: return unsafe Int64(flow.pointee.packetsToClient)
        case .bytesToServer: return unsafe Int64(clamping: flow.pointee.bytesToServer)
        case .bytesToClient: return unsafe Int64(clamping: flow.pointee.bytesToClient)
        case .packetsEither:
            return unsafe either(condition, Int64(flow.pointee.packetsToServer), Int64(flow.pointee.packetsToClient))
        case .bytesEither:
            return unsafe either(
                condition, Int64(clamping: flow.pointee.bytesToServer), Int64(clamping: flow.pointee.bytesToClient))
        case .application: return unsafe Application(rawValue: flow.pointee.application)?.bit ?? 0
        default: break
        }
        guard unsafe flow.pointee.session.state != .none else { return nil }
        let client = unsafe Int64(flow.pointee.session.client.next &- flow.pointee.session.client.initial)
        let server = unsafe Int64(flow.pointee.session.server.next &- flow.pointee.session.server.initial)
        switch unsafe condition.pointee.field {
        case .streamOfClient: return client
        case .streamOfServer: return server
        case .streamOfEither: return unsafe either(condition, client, server)
        default:
            guard unsafe condition.pointee.holds(client) else { return nil }
            return server
        }
    }

    /// The first of two numbers if it is what the condition asks, else the second.
    private func either(_ condition: UnsafePointer<Condition>, _ a: Int64, _ b: Int64) -> Int64 {
        unsafe condition.pointee.holds(a) ? a : b
    }

    // MARK: - Buffers

    /// The bytes of a buffer that is not the payload; nil if the packet has none.
    func text(of buffer: Buffer) -> Subtext? {
        let range: Range<Int>
        switch buffer {
        case .payload, .decoded: return nil
        case .ethernetHeader: range = unsafe packet.pointee.linkHeader
        case .ipv4Header: range = unsafe packet.pointee.ipVersion == 4 ? packet.pointee.networkHeader : 0..<0
        case .ipv6Header: range = unsafe packet.pointee.ipVersion == 6 ? packet.pointee.networkHeader : 0..<0
        case .tcpHeader: range = unsafe packet.pointee.kind == .tcp ? packet.pointee.transportHeader : 0..<0
        case .udpHeader: range = unsafe packet.pointee.kind == .udp ? packet.pointee.transportHeader : 0..<0
        case .icmpHeader: range = unsafe packet.pointee.kind == .icmp ? packet.pointee.transportHeader : 0..<0
        case .igmpHeader:
            let start = unsafe Int(packet.pointee.transportOffset)
            range = unsafe packet.pointee.isIGMP ? start..<max(start, min(start + 8, count)) : 0..<0
        case .icmpv6Header: range = unsafe packet.pointee.kind == .icmp6 ? packet.pointee.transportHeader : 0..<0
        }
        guard !range.isEmpty, range.lowerBound >= 0, unsafe range.upperBound <= count else { return nil }
        return unsafe Subtext(bytes: bytes + range.lowerBound, length: Int32(range.count))
    }
}
