import Wire

extension Scene {
    /// Whether the checksum that a condition asks about is right; nil for a packet that has none, or of which it
    /// cannot be said (Suricata's detect-csum.c).
    func checksum(_ condition: UnsafePointer<Condition>) -> Int64? {
        guard let wanted = unsafe Checksum(rawValue: condition.pointee.auxiliary) else { return nil }
        let kind = unsafe packet.pointee.kind
        let version = unsafe packet.pointee.ipVersion
        switch wanted {
        case .ipv4 where version == 4: return unsafe answer(networkChecksumIsGood)
        case .tcpv4 where version == 4 && kind == .tcp, .tcpv6 where version == 6 && kind == .tcp,
            .udpv4 where version == 4 && kind == .udp, .udpv6 where version == 6 && kind == .udp,
            .icmpv4 where kind == .icmp, .icmpv6 where kind == .icmp6:
            return unsafe answer(packet.pointee.hasValidTransportChecksum(in: span))
        case .igmp where unsafe packet.pointee.ipProtocol == IPProtocol.igmp && kind == .otherIP:
            return unsafe answer(igmpChecksumIsGood)
        default: return nil
        }
    }

    private var span: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(UnsafeRawBufferPointer(start: bytes, count: count).bytes, borrowing: self) }
    }

    private func answer(_ isGood: @autoclosure () -> Bool?) -> Int64? {
        if unsafe trustsChecksums { return 1 }
        return isGood().map { $0 ? 1 : 0 }
    }

    private var networkChecksumIsGood: Bool? {
        let start = unsafe Int(packet.pointee.networkOffset)
        guard start >= 0, unsafe start <= count,
            let header = unsafe IPv4Header(span.extracting(start..<count))
        else { return nil }
        return header.hasValidChecksum
    }

    /// RFC 3376 §4.1.2: over the whole message.
    private var igmpChecksumIsGood: Bool? {
        let start = unsafe Int(packet.pointee.transportOffset)
        let end = unsafe Int(packet.pointee.payloadOffset + packet.pointee.payloadLength)
        guard start >= 0, start < end, unsafe end <= count, unsafe !packet.pointee.isFragment else { return nil }
        var checksum = InternetChecksum()
        unsafe checksum.add(span.extracting(start..<end))
        return checksum.value == 0
    }
}
