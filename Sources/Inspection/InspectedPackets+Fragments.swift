import Evidence
import Flows
import Wire

/// Fragments, and the datagrams that they are put together to.
extension InspectedPackets {
    /// Gives the last packet, a fragment, to the table, and adds the datagram if that made it whole. Returns
    /// whether it did, and whether the fragment must not pass.
    mutating func assemble(
        _ frame: RawSpan, _ arrival: @_addressable Arrival, _ fragments: inout FragmentTable
    ) -> (goesOn: Bool, FragmentStep.Refusal) {
        let last = count - 1
        let part = unsafe storage + last
        let isInline = fragments.mode.isInline
        guard !isFull else {
            unsafe part.pointee.packet.events.insert(.tooManyLayers)
            return (false, isInline ? .noRoom : .none)
        }
        let place = FragmentPlace(
            time: arrival.time, vlan: tags(around: last, arrival), domain: isInline ? domain(of: last, arrival) : 0,
            card: isInline && last == 0 ? arrival.destinationMAC : 0)
        let step = unsafe fragments.add(part.pointee.packet, bytes(of: last, in: frame), place, into: last)
        unsafe part.pointee.packet.note(step)
        if last == 0 { isLateFragment = step.isLate }
        guard step.assembledLength > 0 else { return (false, step.refusal) }
        let whole = unsafe storage + count
        let link = unsafe part.pointee.link
        let buffer = unsafe UnsafeRawPointer(fragments.assembled(last))
        unsafe whole.initialize(
            to: InspectedPacket(
                packet: Packet(), source: .defragmented, parent: UInt8(last), depth: part.pointee.depth, link: link,
                start: 0, count: step.assembledLength, buffer: buffer))
        let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: step.assembledLength).bytes
        unsafe Decoder.decode(
            bytes, as: link, etherType: arrival.hardwareProtocol, capturedShort: false, into: &whole.pointee.packet)
        guard unsafe !whole.pointee.packet.isUndecodable else { return (false, isInline ? .forbidden : .none) }
        count += 1
        return (true, .none)
    }

    /// The captured packet, or the datagram that it made whole.
    var whole: Int { count > 1 && self[1].source == .defragmented ? 1 : 0 }

    /// The identifiers of all tags around packet `index`.
    @inline(__always)
    func tags(around index: Int, _ arrival: @_addressable Arrival) -> UInt32 {
        var key: UInt32 = arrival.hasTag ? UInt32(arrival.tag & 0xFFF) : 0
        let count = self[index].packet.vlanCount
        if count > 0 { key = key << 12 | UInt32(self[index].packet.outerTag & 0xFFF) }
        if count > 1 { key = key << 12 ^ UInt32(self[index].packet.innerTag & 0xFFF) }
        return key
    }

    /// The port that the packet leaves by, and the ends of the tunnels around packet `index`.
    private func domain(of index: Int, _ arrival: @_addressable Arrival) -> UInt64 {
        var domain = UInt64(arrival.outPort)
        for outer in 0..<index where self[outer].packet.tunnel != .none {
            let tunnel = self[outer].packet
            domain = (domain ^ tunnel.source.low ^ tunnel.source.high.byteSwapped) &* 0x9E37_79B9_7F4A_7C15
            domain = (domain ^ tunnel.destination.low ^ tunnel.destination.high.byteSwapped) &* 0xBF58_476D_1CE4_E5B9
        }
        return domain
    }
}

extension Packet {
    /// What the table says of a fragment.
    fileprivate mutating func note(_ step: FragmentStep) {
        if step.overlaps { events.insert(ipVersion == 4 ? .ipv4FragOverlap : .ipv6FragOverlap) }
        if step.isIgnored { events.insert(ipVersion == 4 ? .ipv4FragIgnored : .ipv6FragIgnored) }
        guard step.isKept else { return }
        // Ports and flags of a first fragment are looked at in the whole.
        if kind != .malformed { kind = .laterFragment }
        sourcePort = 0
        destinationPort = 0
        tcpFlags = []
        transportLength = 0
        hidesPayload = true
    }
}
