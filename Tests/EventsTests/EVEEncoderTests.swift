import Events
import Evidence
import Foundation
import Synchronization
import Testing
import Wire

struct LineCase: CustomTestStringConvertible {
    var testDescription: String
    var event: Event
    var place: CapturePlace?
    var line: String

    init(_ name: String, _ line: String, at place: CapturePlace? = nil, _ change: (inout Event) -> Void) {
        testDescription = name
        event = sampleEvent(change)
        self.place = place
        self.line = line
    }
}

struct EVEEncoderTests {
    static let head = #"{"timestamp":"2026-11-23T21:18:39.123456+0000","#
    static let flow = head + #""flow_id":12345,"in_iface":"tap100i0","#
    static let pair =
        #""src_ip":"198.51.100.9","src_port":40000,"dest_ip":"192.0.2.10","dest_port":445,"proto":"TCP","ip_v":4,"pkt_src":"wire/pcap","#
    static let smb =
        #""gid":1,"signature_id":1000001,"rev":2,"signature":"SMB probe","category":"Detection of a Network Scan","severity":3},"#
    static let alerts = #""verdict":{"action":"alert"},"#
    static let drops = #""verdict":{"action":"drop"},"#
    static let accepted =
        #""flinch":{"guest":"web","concern":"low","reason":"accepted","verdict":"accept","intended":"accept","shadow":false}}"#

    @Test(arguments: [
        LineCase(
            "plain alert",
            flow + #""event_type":"alert","# + pair + #""alert":{"action":"allowed","# + smb + alerts + accepted
        ) { _ in },
        LineCase(
            "what was held back",
            flow + #""event_type":"alert","# + pair + #""alert":{"action":"allowed","# + smb + alerts
                + #""flinch":{"guest":"web","concern":"low","reason":"accepted","verdict":"accept","intended":"accept","shadow":false,"#
                + #""first":"2026-11-23T21:18:29.123456+0000","last":"2026-11-23T21:18:38.123456+0000","count":995,"scope":"rule"}}"#
        ) {
            $0.summary = EventSummary(scope: .rule)
            $0.summary.count = 995
            $0.summary.first = sampleTime - 10_000_000_000
            $0.summary.last = sampleTime - 1_000_000_000
        },
        LineCase("a packet that a rule tagged", flow + #""event_type":"packet","# + pair + accepted) {
            $0.finding = Finding(.tag, code: 0, concern: .low, asks: .accept)
        },
        LineCase(
            "dropped, in a capture, with tags and cards",
            head
                + #""flow_id":12345,"in_iface":"tap100i0","pcap_cnt":17,"event_type":"alert","vlan":[100,20,30],"#
                + pair + #""ether":{"src_mac":"02:00:00:00:00:0a","dest_mac":"02:00:00:00:00:0b"},"#
                + #""alert":{"action":"blocked","# + smb + drops + #""pcap_filename":"a/b.pcap","#
                + #""flinch":{"guest":"web","concern":"low","reason":"signature","verdict":"drop","intended":"drop","shadow":false}}"#,
            at: CapturePlace(file: "a/b.pcap", number: 17, linkType: 1)
        ) {
            $0.arrival.hasTag = true
            $0.arrival.tag = 0xE064
            $0.packet.vlanCount = 2
            $0.packet.outerTag = 0x2014
            $0.packet.innerTag = 30
            $0.arrival.sourceMAC = 0x0200_0000_000A
            $0.arrival.destinationMAC = 0x0200_0000_000B
            $0.finding.asks = .drop
            $0.verdict = .drop
            $0.intended = .drop
            $0.reason = .rule
        },
        LineCase(
            "an alert beside the rule that dropped",
            flow + #""event_type":"alert","# + pair + #""alert":{"action":"allowed","# + smb + drops
                + #""flinch":{"guest":"web","concern":"low","reason":"signature","verdict":"drop","intended":"drop","shadow":false}}"#
        ) {
            $0.verdict = .drop
            $0.intended = .drop
            $0.reason = .rule
        },
        LineCase(
            "a pass rule that says so",
            flow + #""event_type":"alert","# + pair + #""alert":{"action":"allowed","# + smb
                + #""verdict":{"action":"pass"},"# + accepted
        ) { $0.isPassed = true },
        LineCase(
            "undecodable: no addresses, but for a check",
            flow + #""event_type":"alert","pkt_src":"wire/pcap","alert":{"action":"allowed","# + smb + alerts
                + accepted
        ) { $0.packet.isUndecodable = true },
        LineCase(
            "out of a tunnel, in a flow",
            flow + #""event_type":"alert","# + pair.replacing("wire/pcap", with: "ipv6 tunnel")
                + #""alert":{"action":"allowed","# + smb
                + #""tunnel":{"src_ip":"2001:0db8:0000:0000:0000:0000:0000:0001","src_port":0,"dest_ip":"2001:0db8:0000:0000:0000:0000:0000:0002","dest_port":0,"proto":"IP-in-IP","depth":2,"pkt_src":"wire/pcap"},"#
                + #""direction":"to_client","flow":{"pkts_toserver":3,"pkts_toclient":2,"bytes_toserver":200,"bytes_toclient":100,"start":"2026-11-23T21:18:39.123456+0000","src_ip":"192.0.2.10","dest_ip":"198.51.100.9","src_port":445,"dest_port":40000},"#
                + alerts + accepted
        ) {
            var outer = Packet()
            outer.source = Address("2001:db8::1")!
            outer.destination = Address("2001:db8::2")!
            outer.ipProtocol = 4
            $0.origin = Origin(.ipv6Tunnel, depth: 2, outer: outer)
            $0.course.direction = .toClient
            $0.course.packetsToServer = 3
            $0.course.packetsToClient = 2
            $0.course.bytesToServer = 200
            $0.course.bytesToClient = 100
            $0.course.start = sampleTime
        },
        LineCase(
            "three tags",
            flow + #""event_type":"alert","vlan":[200,300,400],"# + pair + #""alert":{"action":"allowed","# + smb
                + alerts + accepted
        ) {
            $0.packet.vlanCount = 3
            $0.packet.outerTag = 200
            $0.packet.innerTag = 300
            $0.packet.thirdTag = 400
        },
        LineCase(
            "shadow: would have been dropped",
            flow + #""event_type":"alert","# + pair + #""alert":{"action":"allowed","# + smb + alerts
                + #""flinch":{"guest":"web","concern":"low","reason":"signature","verdict":"accept","intended":"drop","shadow":true}}"#
        ) {
            $0.intended = .drop
            $0.reason = .rule
        },
        LineCase(
            "throttled and beyond the rate",
            flow + #""event_type":"alert","# + pair + #""alert":{"action":"blocked","# + smb + alerts
                + #""flinch":{"guest":"web","concern":"low","reason":"flood throttled","verdict":"throttle","intended":"throttle","shadow":false}}"#
        ) {
            $0.verdict = .throttle
            $0.intended = .throttle
            $0.reason = .floodThrottle
        },
        LineCase(
            "hostile text, metadata, an interface that is gone, no flow, no guest",
            head
                + #""in_iface":"if9","event_type":"alert","# + pair
                + #""alert":{"action":"allowed","gid":3,"signature_id":7,"rev":1,"signature":"say \"hi\" \\ \n\r\t\u0001\u007f\u009b31m"#
                + "\u{A0}é日</script>\u{2028}"
                + #"","category":"","severity":1,"metadata":{"policy":["a","b"],"cve\"":["2017_0144"]}},"# + alerts
                + #""flinch":{"concern":"high","reason":"accepted","verdict":"accept","intended":"accept","shadow":false}}"#
        ) {
            $0.finding = Finding(.signature, code: 1, concern: .high, asks: .accept)
            $0.arrival.port = 0
            $0.arrival.bridge = 9
            $0.flow = 0
            $0.guest = -1
        },
        LineCase(
            "a rule and a guest that a reload took away",
            flow + #""event_type":"alert","# + pair
                + #""alert":{"action":"allowed","gid":1,"signature_id":0,"rev":0,"signature":"rule 99, no longer loaded","category":"","severity":2},"#
                + alerts
                + #""flinch":{"guest":"guest 5","concern":"medium","reason":"accepted","verdict":"accept","intended":"accept","shadow":false}}"#
        ) {
            $0.finding = Finding(.signature, code: 99, concern: .medium, asks: .accept)
            $0.guest = 5
        },
        LineCase(
            "flow numbers stay exact in JavaScript",
            head + #""flow_id":9007199254740991,"in_iface":"tap100i0","event_type":"alert","# + pair
                + #""alert":{"action":"allowed","# + smb + alerts + accepted
        ) { $0.flow = .max },
        LineCase(
            "and are never 0",
            head + #""flow_id":1,"in_iface":"tap100i0","event_type":"alert","# + pair
                + #""alert":{"action":"allowed","# + smb + alerts + accepted
        ) { $0.flow = 1 << 60 },
        LineCase(
            "ICMPv6",
            flow
                + #""event_type":"alert","src_ip":"2001:0db8:0000:0000:0000:0000:0000:0001","dest_ip":"fe80:0000:0000:0000:0000:0000:0000:0002","proto":"IPv6-ICMP","ip_v":6,"icmp_type":128,"icmp_code":0,"pkt_src":"wire/pcap","#
                + #""alert":{"action":"allowed","# + smb + alerts + accepted
        ) {
            $0.packet = Packet()
            $0.packet.kind = .icmp6
            $0.packet.ipVersion = 6
            $0.packet.ipProtocol = 58
            $0.packet.source = Address("2001:db8::1")!
            $0.packet.destination = Address("fe80::2")!
            $0.packet.icmpType = 128
        },
        LineCase(
            "a later fragment has no ports",
            flow
                + #""event_type":"alert","src_ip":"198.51.100.9","dest_ip":"192.0.2.10","proto":"GRE","ip_v":4,"pkt_src":"wire/pcap","#
                + #""alert":{"action":"allowed","# + smb + alerts + accepted
        ) {
            $0.packet.kind = .laterFragment
            $0.packet.ipProtocol = 47
        },
        LineCase(
            "relation",
            flow + #""event_type":"alert","# + pair
                + #""alert":{"action":"blocked","gid":3510,"signature_id":3,"rev":1,"signature":"TOPOLOGY a may not talk to b","#
                + #""category":"Potential Corporate Privacy Violation","severity":1},"#
                + #""verdict":{"action":"drop"},"#
                + #""flinch":{"guest":"web","concern":"high","reason":"relation denied","verdict":"drop","intended":"drop","shadow":false}}"#
        ) {
            $0.finding = Finding(.relation, code: 2, concern: .high, asks: .drop)
            $0.verdict = .drop
            $0.intended = .drop
            $0.reason = .relation
        },
        LineCase(
            "anomaly",
            flow + #""event_type":"anomaly","# + pair
                + #""anomaly":{"type":"decode","event":"ipv4.header-length"},"#
                + #""flinch":{"guest":"web","concern":"medium","reason":"malformed","verdict":"drop","intended":"drop","shadow":false}}"#
        ) {
            $0.packet.kind = .malformed
            $0.finding = Finding(.conformance, code: 4, concern: .medium, asks: .drop)
            $0.verdict = .drop
            $0.intended = .drop
            $0.reason = .malformed
        },
        LineCase(
            "anomaly of an unknown frame, by a check without a name",
            head
                + #""event_type":"anomaly","pkt_src":"wire/pcap","ether":{"ether_type":34958,"src_mac":"ff:ff:ff:ff:ff:ff"},"#
                + #""anomaly":{"type":"decode","event":"check.77"},"#
                + #""flinch":{"concern":"low","reason":"accepted","verdict":"accept","intended":"accept","shadow":false}}"#
        ) {
            $0.packet = Packet()
            $0.packet.etherType = 0x888E
            $0.arrival.port = 0
            $0.arrival.sourceMAC = 0xFFFF_FFFF_FFFF
            $0.flow = 0
            $0.guest = -1
            $0.finding = Finding(.conformance, code: 77, concern: .low, asks: .accept)
        },
    ])
    func packetLines(_ test: LineCase) throws {
        var encoder = EVEEncoder(names: sampleNames)
        encoder.encode(test.event, at: test.place)
        #expect(String(decoding: encoder.bytes, as: UTF8.self) == test.line + "\n")
        _ = try JSONSerialization.jsonObject(with: Data(encoder.bytes))
    }

    @Test func whatIsEscapedComesBack() throws {
        var encoder = EVEEncoder(names: sampleNames)
        encoder.encode(sampleEvent { $0.finding.code = 1 })
        let object = try JSONSerialization.jsonObject(with: Data(encoder.bytes)) as? [String: Any]
        let alert = object?["alert"] as? [String: Any]
        #expect(alert?["signature"] as? String == sampleNames.rule(1)?.message)
    }

    @Test func floodLines() {
        var encoder = EVEEncoder(names: sampleNames, sensor: "host\"1")
        encoder.encode(sampleFlood(.open))
        encoder.encode(sampleFlood(.close))
        encoder.encode(
            sampleFlood(.open) {
                $0.shadow = true
                $0.action = "throttle"
                $0.floodClass = .icmp
                $0.host = Address("2001:db8::10")!
                $0.concern = .medium
            })
        encoder.encode(
            sampleFlood(.open) {
                $0.action = "alert"
                $0.floodClass = .fragment
            })
        let lines = String(decoding: encoder.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(
            lines == [
                EVEEncoderTests.head
                    + #""event_type":"alert","dest_ip":"192.0.2.10","proto":"TCP","alert":{"action":"blocked","gid":3500,"signature_id":1,"rev":1,"signature":"FLOOD syn flood to web","category":"Attempted Denial of Service","severity":1},"#
                    + #""flinch":{"guest":"web","concern":"high","reason":"flood denied","verdict":"drop","intended":"drop","shadow":false,"flood":{"id":9,"class":"syn","phase":"open","action":"deny","threshold":2000,"rate":21000}},"host":"host\"1"}"#,
                #"{"timestamp":"2026-11-23T21:18:51.469135+0000","event_type":"flood","dest_ip":"192.0.2.10","proto":"TCP","#
                    + #""flinch":{"guest":"web","concern":"high","reason":"flood denied","verdict":"drop","intended":"drop","shadow":false,"flood":{"id":9,"class":"syn","phase":"close","action":"deny","threshold":2000,"opened":"2026-11-23T21:18:39.123456+0000","packets":120000,"peak_rate":21000,"dropped":99000,"duration":12.345}},"host":"host\"1"}"#,
                EVEEncoderTests.head
                    + #""event_type":"alert","dest_ip":"2001:0db8:0000:0000:0000:0000:0000:0010","proto":"IPv6-ICMP","alert":{"action":"allowed","gid":3500,"signature_id":4,"rev":1,"signature":"FLOOD icmp flood to web","category":"Attempted Denial of Service","severity":2},"#
                    + #""flinch":{"guest":"web","concern":"medium","reason":"flood throttled","verdict":"accept","intended":"throttle","shadow":true,"flood":{"id":9,"class":"icmp","phase":"open","action":"throttle","threshold":2000,"rate":21000}},"host":"host\"1"}"#,
                EVEEncoderTests.head
                    + #""event_type":"alert","dest_ip":"192.0.2.10","alert":{"action":"allowed","gid":3500,"signature_id":5,"rev":1,"signature":"FLOOD fragment flood to web","category":"Attempted Denial of Service","severity":1},"#
                    + #""flinch":{"guest":"web","concern":"high","reason":"accepted","verdict":"accept","intended":"accept","shadow":false,"flood":{"id":9,"class":"fragment","phase":"open","action":"alert","threshold":2000,"rate":21000}},"host":"host\"1"}"#,
            ])
    }

    @Test func defendedFlood() {
        var encoder = EVEEncoder(names: sampleNames, sensor: "host")
        encoder.encode(
            sampleFlood(.close) {
                $0.action = "defend"
                $0.hosts = 256
                $0.sources = 16_000_000
                $0.sieve = SieveFigures(
                    challenged: 1, answered: 2, repeated: 3, trusted: 4, knownFlows: 5, unknown: 6, refused: 7,
                    handshakes: 8)
            })
        let line = String(decoding: encoder.bytes, as: UTF8.self)
        #expect(line.contains(#""reason":"flood, source unproved","verdict":"throttle","intended":"throttle""#))
        #expect(line.contains(#""action":"defend","threshold":2000,"hosts":256,"#))
        #expect(
            line.contains(
                #""sources":16000000,"sieve":{"challenged":1,"answered":2,"repeated":3,"trusted":4,"known_flows":5,"unknown":6,"refused":7,"handshakes":8},"duration""#
            ))
    }

    @Test func statsLine() {
        var encoder = EVEEncoder(names: sampleNames)
        encoder.encodeStats(
            time: sampleTime, uptime: 12,
            counters: [
                "decoder.pkts": .max, "decoder.bytes": 0, "decoder": 5, "ips.blocked": 3, "ips.x.y": 1,
                "..": 2,
            ])
        #expect(
            String(decoding: encoder.bytes, as: UTF8.self) == EVEEncoderTests.head
                + #""event_type":"stats","stats":{"uptime":12,"..":2,"decoder":5,"decoder.bytes":0,"decoder.pkts":18446744073709551615,"ips":{"blocked":3,"x":{"y":1}}}}"#
                + "\n")
    }

    /// Dates against the C library's calendar: leap days, turns of months, years and centuries.
    @Test(
        arguments: [
            0, 1, 68_169_599, 68_256_000, 951_782_399, 951_782_400, 951_868_800, 1_709_164_800, 1_735_689_599,
            4_107_542_400, 13_574_563_200, 18_446_744_073,
        ] as [UInt64])
    func timestamps(_ seconds: UInt64) {
        var encoder = EVEEncoder(names: sampleNames)
        encoder.encodeStats(time: seconds * 1_000_000_000 + 7_999, uptime: 0, counters: [:])
        var time = time_t(seconds)
        var parts = unsafe tm()
        unsafe gmtime_r(&time, &parts)
        let expected = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            unsafe strftime(text.baseAddress!, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
            return unsafe String(cString: text.baseAddress!)
        }
        let line = String(decoding: encoder.bytes, as: UTF8.self)
        #expect(line.hasPrefix("{\"timestamp\":\"\(expected).000007+0000\""), "\(expected)")
    }

    @Test func interfaceNamesAreRemembered() {
        // A clock and a kernel of the test's own: the interface is there in the first second only.
        let names = EVENames(
            rule: { _ in nil }, check: { _ in nil }, guest: { _ in nil },
            interface: { _ in Vanishing.answer() })
        var encoder = EVEEncoder(names: names)
        for second: UInt64 in [0, 0, 5] {
            encoder.encode(sampleEvent { $0.arrival.time = second * 1_000_000_000 })
        }
        let lines = String(decoding: encoder.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.allSatisfy { $0.contains(#""in_iface":"vnet3""#) })
        #expect(Vanishing.asked.load(ordering: .relaxed) == 2)
        #expect(InterfaceNames.ask(1) == "lo")
        #expect(InterfaceNames.ask(.max) == nil)
    }
}

/// An interface that can be asked for once.
enum Vanishing {
    static let asked = Atomic<Int>(0)

    static func answer() -> String? {
        asked.wrappingAdd(1, ordering: .relaxed).oldValue == 0 ? "vnet3" : nil
    }
}
