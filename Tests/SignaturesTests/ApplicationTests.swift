import Evidence
import Flows
import Intake
import Testing
import Wire

@testable import Signatures

/// Which application a flow is of, told by its first bytes.
@Suite struct ApplicationTests {
    static let names = Application.allCases.filter { $0.bit != 0 }.compactMap(\.name)

    /// A rule for each application; the sid is its number.
    static func rules() throws -> RuleSet {
        let lines = Application.allCases.filter { $0.bit != 0 }
            .map { "alert \($0 == .http ? "http1" : $0.name!) any any -> any any (sid:\($0.rawValue);)" }
        let rules = try compile(lines.joined(separator: "\n"))
        #expect(rules.problems == [])
        return rules
    }

    /// Packets of flows that are followed from one to the next.
    struct Followed: ~Copyable {
        var matcher: Matcher
        var flows = FlowTable(
            capacity: 1 << 12, variables: 16, streamBytes: 1 << 22, mode: FlowMode(isInline: true, midstream: true))
        private var time: UInt64 = 1

        init(_ rules: RuleSet) throws { matcher = try Matcher(rules) }

        mutating func sids(_ packet: Packet, _ bytes: RawSpan, _ rules: RuleSet) -> [UInt32] {
            time += 1_000
            var step = FlowStep()
            flows.track(packet, bytes, vlan: 0, time: time, checksumIsGood: true, into: &step)
            var findings = Findings()
            _ = matcher.inspect(packet, bytes, MatchContext(time: time), step, &flows, into: &findings)
            return (0..<findings.count).map { rules.rules[Int(findings[$0].code)].sid }
        }

        mutating func sids(_ packet: RawPacket, _ rules: RuleSet) -> [UInt32] {
            unsafe sids(Decoder.decode(packet.bytes.span.bytes, as: packet.link), packet.bytes.span.bytes, rules)
        }
    }

    @Test func everyNameIsOneOfAHeader() throws {
        for name in Self.names + ["ssl", "http1"] {
            #expect(try compile("alert \(name) any any -> any any (sid:1;)").problems == [], "\(name)")
        }
    }

    // MARK: - Captures

    /// nDPI's captures: the name tells the protocol. Others than those listed are in none of them.
    static let captures: [(name: String, applications: [String])] = [
        ("dns.pcap", ["dns"]), ("dns_ambiguous_names.pcap", ["dns"]), ("dns_exfiltration.pcap", ["dns"]),
        ("dns_long_domainname.pcap", ["dns"]), ("dns_fragmented.pcap", ["dns"]), ("bad-dns-traffic.pcap", ["dns"]),
        ("avast_securedns.pcapng", ["dns"]), ("NTPv3.pcap", ["ntp"]), ("dhcp-fuzz.pcapng", ["dhcp"]),
        ("dnp3.pcap", ["dnp3"]), ("umas.pcap", ["modbus"]), ("ftp_failed.pcap", ["ftp"]),
        ("http.pcapng", ["http"]), ("http_on_sip_port.pcap", ["http"]), ("http_asymmetric.pcapng", ["http"]),
        ("http_starting_with_reply.pcapng", ["http"]), ("http_invalid_server.pcap", ["http"]),
        ("http-crash-content-disposition.pcap", ["http"]), ("http-proxy.pcapng", ["http"]), ("xss.pcap", ["http"]),
        ("soap.pcap", ["http"]), ("ipp.pcap", ["http"]), ("jsonrpc.pcap", ["http"]), ("bot.pcap", ["http"]),
        ("windowsupdate_over_http.pcap", ["http"]), ("http2.pcapng", ["http2"]), ("imap-starttls.pcap", ["imap"]),
        ("irc.pcap", ["irc"]), ("kerberos-login.pcap", ["krb5"]), ("kerberos-error.pcap", ["krb5"]),
        // A domain controller speaks all three.
        ("kerberos.pcap", ["krb5", "ldap", "smb"]), ("mqtt.pcap", ["mqtt"]), ("nfsv3.pcap", ["nfs"]),
        ("pgsql.pcap", ["pgsql"]), ("pop3.pcap", ["pop3"]), ("pop3_stls.pcap", ["pop3"]), ("pops.pcapng", ["tls"]),
        ("quic-28.pcap", ["quic"]), ("quic-29.pcap", ["quic"]), ("quic-mvfst-22.pcap", ["quic"]),
        ("quic046.pcap", ["quic"]), ("quic_q39.pcap", ["quic"]), ("quic_q43.pcap", ["quic"]),
        ("quic_0RTT.pcap", ["quic"]), ("doq_adguard.pcapng", ["quic"]), ("rdp_over_tls.pcap", ["rdp"]),
        ("sip.pcap", ["sip"]), ("smb_frags.pcap", ["smb"]), ("ssh.pcap", ["ssh"]),
        ("ssh_unidirectional.pcap", ["ssh"]), ("telnet.pcap", ["telnet"]), ("tls_alert.pcap", ["tls"]),
        ("tls_ech.pcapng", ["tls"]), ("tls_port_80.pcapng", ["tls"]), ("no_sni.pcap", ["tls"]),
        ("443-safari.pcap", ["tls"]), ("443-git.pcap", ["tls"]), ("doh.pcapng", ["tls"]),
        ("tls_1.2_unidirectional_server.pcapng", ["tls"]), ("tls_1.3_unidirectional_server.pcapng", ["tls"]),
        ("tls_long_cert.pcap", ["tls"]), ("long_tls_certificate.pcap", ["tls"]), ("cachefly.pcapng", ["tls"]),
        ("bittorrent_utp.pcap", ["bittorrent-dht"]), ("emotet.pcap", ["http", "smtp", "tls"]),
        // What has no name here, and must not get one.
        ("rtsp.pcap", []), ("rtp.pcapng", []), ("stun.pcap", []), ("wireguard.pcap", []), ("memcached.cap", []),
        ("mongodb.pcap", []), ("oracle12.pcapng", []), ("kafka.pcapng", []), ("resp.pcap", []), ("nntp.pcap", []),
        ("jabber.pcap", []), ("zabbix.pcap", []), ("s7comm-plus.pcap", []), ("h323.pcap", []),
        ("bittorrent.pcap", []), ("syslog.pcap", []), ("netflowv9.pcap", []), ("ldp.pcap", []),
        ("openvpn.pcap", []), ("skinny.pcap", []), ("tls_false_positives.pcapng", []),
        ("iso9506-1-mms.pcap", []), ("iec60780-5-104.pcap", []), ("opc-ua.pcap", []), ("diameter.pcap", []),
        ("collectd.pcap", []), ("corba.pcap", []), ("cpha.pcap", []), ("gtp_c.pcap", []), ("dtls.pcap", []),
        ("rsync.pcap", []), ("rtmp.pcap", []), ("stomp.pcapng", []), ("tinc.pcap", []), ("xdmcp.pcap", []),
        ("z3950.pcapng", []), ("ptpv2.pcap", []), ("pfcp.pcapng", []), ("socks.pcap", []), ("443-opvn.pcap", []),
        ("smpp_in_general.pcap", []), ("raft.pcap", []), ("raknet.pcap", []), ("roughtime.pcap", []),
        ("rmcp.pcap", []), ("drda_db2.pcap", []), ("heuristic_tcp_ack_payload.pcap", []),
        ("lisp_registration.pcap", []), ("mpegts.pcap", []), ("rtps.pcap", []), ("srvloc.pcap", []),
        ("upnp.pcap", []), ("ssdp-m-search-ua.pcap", []), ("trdp.pcapng", []),
    ]

    @Test(.enabled(if: Files.shared != nil), arguments: captures.map(\.name))
    func capture(_ name: String) throws {
        let expected = try #require(Self.captures.first { $0.name == name }).applications
        let folder = Files.shared! + "/captures/protocols/ndpi__tests__cfgs__default__pcap__"
        var capture = try CaptureFile(path: folder + name)
        let rules = try Self.rules()
        var followed = try Followed(rules)
        var found: Set<UInt32> = []
        while (try? capture.next()) ?? false {
            let packet = Decoder.decode(capture.bytes, as: capture.link, capturedShort: capture.isCutShort)
            found.formUnion(followed.sids(packet, capture.bytes, rules))
        }
        // A rule about DCE/RPC is about SMB too.
        if found.contains(UInt32(Application.smb.rawValue)) { found.remove(UInt32(Application.dcerpc.rawValue)) }
        let names = found.compactMap { Application(rawValue: UInt8($0))?.name }.sorted()
        #expect(names == expected.sorted())
    }

    // MARK: - First bytes

    static let streams: [(bytes: [UInt8], application: Application?)] = [
        ("GET / HTTP/1.1\r\n".raw, .http), ("GET /index.html\r\n".raw, .http), ("HTTP/1.0 200 OK\r\n".raw, .http),
        ("OPTIONS rtsp://x RTSP/1.0\r\n".raw, nil), ("GET rtsp://x RTSP/1.0\r\n".raw, nil),
        ("GETTING STARTED\r\n".raw, nil),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".raw, .http2), ("SSH-2.0-x\r\n".raw, .ssh), ("SSH-X".raw, nil),
        ("220 x ESMTP\r\n".raw, .smtp), ("220 x FTP server\r\n".raw, .ftp), ("220 x\r\n".raw, nil),
        ("EHLO x\r\n".raw, .smtp), ("EHLOX\r\n".raw, nil), ("USER x\r\n".raw, .ftp), ("USER a 0 * :x\r\n".raw, .irc),
        ("NICK a\r\n".raw, .irc), ("+OK x\r\n".raw, .pop3), ("* OK x\r\n".raw, .imap), ("a1 LOGIN x y\r\n".raw, .imap),
        ("INVITE sip:x SIP/2.0\r\n".raw, .sip), ("RFB 003.008\n".raw, .rfb),
        ([0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3] + zeros(30), .tls),
        ([0x16, 3, 1, 0, 200, 9, 0, 0, 196, 3, 3] + zeros(30), nil),
        ([0x15, 3, 3, 0, 2, 2, 40], .tls), ([0, 0, 0, 40, 0xFE] + "SMB".raw + zeros(30), .smb),
        ([0, 0, 0, 40, 0xFE] + "SMX".raw + zeros(30), nil), ([0xFF, 0xFD, 1, 0xFF, 0xFB, 3], .telnet),
        ([0x10, 16, 0, 4] + "MQTT".raw + zeros(20), .mqtt), ([0x10, 16, 0, 4] + "MQTX".raw + zeros(20), nil),
        ([3, 0, 0, 19, 14, 0xE0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0], .rdp),
        // ISO transport of something else.
        ([3, 0, 0, 22, 17, 0xE0, 0, 0, 0, 1, 0, 0xC1, 2, 1, 0, 0xC2, 2, 1, 2, 0xC0, 1, 10], nil),
        ([0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1], .modbus), ([0, 1, 0, 0, 0, 7, 1, 3, 0, 0, 0, 1], nil),
        ([0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0], .ldap),
        ([0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F], .pgsql), (zeros(40), nil),
    ]

    static func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }

    @Test(arguments: streams.indices)
    func stream(_ index: Int) throws {
        let (bytes, application) = Self.streams[index]
        let rules = try Self.rules()
        var followed = try Followed(rules)
        let found = followed.sids(.tcp(bytes), rules).filter { $0 != UInt32(Application.dcerpc.rawValue) }
        #expect(found == (application.map { [UInt32($0.rawValue)] } ?? []))
        // A part of it tells nothing else.
        for length in 0...bytes.count {
            let cut = Array(bytes.prefix(length))
            let answer = unsafe cut.withUnsafeBufferPointer { buffer in
                unsafe buffer.baseAddress.map {
                    unsafe ApplicationRecogniser.stream(ApplicationBytes(start: $0, count: length), mayGoOn: false)
                }
            }
            if case .found(let other)? = answer { #expect(other == application) }
        }
    }

    static let question: [UInt8] = [1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]

    static let datagrams: [(bytes: [UInt8], application: Application?)] = [
        (question, .dns), (Array(question.dropLast(2)) + [0, 9], nil), ([1, 2, 1, 0, 0, 0] + zeros(12), nil),
        ([0x23] + zeros(47), .ntp), ([0x23] + zeros(46), nil), ([0, 1] + "x".raw + [0] + "octet".raw + [0], .tftp),
        ([0, 1] + "x".raw + [0] + "octe".raw + [0], nil), ("d1:ad2:id20:abcdefghij".raw, .bittorrentDHT),
        ([0x30, 18, 2, 1, 1, 4, 6] + "public".raw + [0xA0, 5, 2, 1, 1, 2, 0], .snmp),
        ([0x30, 19, 2, 1, 1, 4, 6] + "public".raw + [0xA0, 5, 2, 1, 1, 2, 0], nil),
        ([1, 2, 3, 4, 5, 6, 7, 8] + zeros(8) + [33, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 0, 28], .ike),
        ([0xC3, 0, 0, 0, 1, 8] + zeros(40), .quic), ([0xC3, 0, 0, 0, 9, 8] + zeros(40), nil),
        ([1, 1, 6, 0] + zeros(232) + [0x63, 0x82, 0x53, 0x63, 0xFF], .dhcp),
    ]

    @Test(arguments: datagrams.indices)
    func datagram(_ index: Int) throws {
        let (bytes, application) = Self.datagrams[index]
        let rules = try Self.rules()
        var followed = try Followed(rules)
        #expect(followed.sids(.udp(bytes), rules) == (application.map { [UInt32($0.rawValue)] } ?? []))
    }

    // MARK: - Rules

    /// The content came before it was known what is spoken.
    @Test func whatWasFoundBeforeIsFoundOnceItIsKnown() throws {
        let rules = try compile(
            """
            alert http any any -> any any (content:"GET /x"; sid:1;)
            alert http any any -> any any (content:"GET"; content:"x"; distance:0; sid:2;)
            alert tls any any -> any any (content:"GET /x"; sid:3;)
            """)
        var followed = try Followed(rules)
        #expect(followed.sids(.tcp(seq: 1, "GET /x".raw), rules) == [])
        #expect(followed.sids(.tcp(seq: 7, " HTTP/1.1\r\n".raw), rules) == [1, 2])
        #expect(followed.sids(.tcp(seq: 18, "Host: x\r\n".raw), rules) == [])
    }

    @Test func whatIsNoneStaysNone() throws {
        let rules = try Self.rules()
        var followed = try Followed(rules)
        #expect(followed.sids(.tcp(seq: 1, Self.zeros(40)), rules) == [])
        #expect(followed.sids(.tcp(seq: 41, "GET / HTTP/1.1\r\n".raw), rules) == [])
    }

    @Test func garbageIsReadNowhereOutside() throws {
        var numbers = SeededGenerator(state: 7)
        for round in 0..<20_000 {
            let length = Int.random(in: 1...80, using: &numbers)
            var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            // From something that is known, so that it is read further.
            let known =
                round % 2 == 0
                ? Self.streams[round % Self.streams.count].bytes : Self.datagrams[round % Self.datagrams.count].bytes
            if round % 3 != 0 { bytes = Array((known + bytes).prefix(known.count - round % known.count)) }
            unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return }
                let first = unsafe ApplicationBytes(start: start, count: buffer.count)
                _ = unsafe ApplicationRecogniser.stream(first, mayGoOn: false)
                _ = unsafe ApplicationRecogniser.datagram(first, Packet())
            }
        }
    }
}
