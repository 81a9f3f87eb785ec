import Flows
import Wire

/// Tells by the first bytes of a flow which application protocol it speaks, whatever its ports. Each direction is
/// looked at until it has told, or has shown enough to say that it does not.
enum ApplicationRecogniser {
    /// At most so many bytes of a direction are looked at.
    static let reach = 2_048
    /// So many bytes of a stream tell a protocol, save a line of text that goes on.
    private static let enough = 24

    enum Answer: Equatable {
        case found(Application)
        /// More bytes may tell.
        case more
        case none
    }

    /// Looks at what a packet adds to a flow whose application is not known yet. Returns whether it told.
    static func advance(
        _ flow: UnsafeMutablePointer<Flow>, _ packet: @_addressable Packet, _ bytes: ApplicationBytes,
        toServer: Bool,
        mayGoOn: Bool
    ) -> Bool {
        let answer =
            unsafe packet.kind == .udp
            ? datagram(bytes, packet) : stream(bytes, mayGoOn: mayGoOn && bytes.count < reach)
        switch answer {
        case .more: return false
        case .found(let application):
            unsafe flow.pointee.application = application.rawValue
            return true
        case .none:
            let own = toServer ? Application.notByClient : .notByServer
            let other = toServer ? Application.notByServer : .notByClient
            unsafe flow.pointee.application =
                (flow.pointee.application == other.rawValue ? Application.other : own).rawValue
            return false
        }
    }

    /// The first bytes of a direction of a TCP connection.
    static func stream(_ bytes: ApplicationBytes, mayGoOn: Bool) -> Answer {
        if let text = unsafe text(bytes, mayGoOn: mayGoOn) { return text }
        if let binary = unsafe binary(bytes) { return .found(binary) }
        return unsafe mayGoOn && bytes.count < enough ? .more : .none
    }

    private static func binary(_ bytes: ApplicationBytes) -> Application? {
        if unsafe isTLS(bytes) { return .tls }
        if unsafe isHTTP2(bytes) { return .http2 }
        if unsafe isSMB(bytes) { return .smb }
        if unsafe isBoundDCERPC(bytes) { return .dcerpc }
        if unsafe isRDP(bytes) { return .rdp }
        if unsafe isMQTT(bytes) { return .mqtt }
        if unsafe isKerberos(bytes, from: 4), unsafe bytes.long(0) + 4 >= bytes.count { return .krb5 }
        if unsafe isLDAP(bytes) { return .ldap }
        if unsafe isTelnet(bytes) { return .telnet }
        if unsafe isPostgreSQL(bytes) { return .pgsql }
        if unsafe isDNP3(bytes) { return .dnp3 }
        if unsafe isNFSCall(bytes, from: 4), unsafe bytes[0] & 0x80 != 0 { return .nfs }
        if unsafe isDNSStream(bytes) { return .dns }
        if unsafe isENIP(bytes) { return .enip }
        return unsafe isModbus(bytes) ? .modbus : nil
    }

    /// A datagram, whole.
    static func datagram(_ bytes: ApplicationBytes, _ packet: @_addressable Packet) -> Answer {
        // Too short to say anything; some protocols keep a mapping of addresses alive so.
        guard unsafe bytes.count > 4 else { return .more }
        if unsafe isDNS(bytes, from: 0) {
            return .found(isMulticastDNS(packet.destination) ? .mdns : .dns)
        }
        if unsafe isSIP(bytes) { return .found(.sip) }
        if unsafe isQUIC(bytes) { return .found(.quic) }
        if unsafe isDHCP(bytes) { return .found(.dhcp) }
        if unsafe isSNMP(bytes) { return .found(.snmp) }
        if unsafe isKerberos(bytes, from: 0) { return .found(.krb5) }
        if unsafe isIKE(bytes) { return .found(.ike) }
        if unsafe isTFTP(bytes) { return .found(.tftp) }
        if unsafe isBitTorrentDHT(bytes) { return .found(.bittorrentDHT) }
        if unsafe isLDAP(bytes) { return .found(.ldap) }
        if unsafe isNFSCall(bytes, from: 0) { return .found(.nfs) }
        if unsafe isUnboundDCERPC(bytes) { return .found(.dcerpc) }
        if unsafe isDNP3(bytes) { return .found(.dnp3) }
        if unsafe isENIP(bytes) { return .found(.enip) }
        return unsafe isNTP(bytes) ? .found(.ntp) : .none
    }

    /// RFC 6762 §3: 224.0.0.251 and FF02::FB.
    private static func isMulticastDNS(_ address: Address) -> Bool {
        address == Address(v4: 0xE000_00FB) || address == Address(high: 0xFF02_0000_0000_0000, low: 0xFB)
    }
}
