import Configuration
import Conformance
import Evidence
import Inspection
import Policy
import Testing
import Wire

/// Whose form is looked at: what a conversation is recognised as by its bytes, on any port, and at the ports of some
/// services what is recognised as nothing else.
@Suite struct ApplicationFormTests {
    /// `example.org` asked for in `count` questions, of which one is there.
    private static func query(_ count: Int = 1) -> [UInt8] {
        big16(0x1234) + big16(0x0100) + big16(count) + big16(0) + big16(0) + big16(0) + [7]
            + Array("example".utf8) + [3] + Array("org".utf8) + [0] + big16(1) + big16(1)
    }
    /// The same and its answer: a name that points at itself, or at the question's.
    private static func answer(loops: Bool) -> [UInt8] {
        var message =
            query() + big16(loops ? 0xC01D : 0xC00C) + big16(1) + big16(1) + big32(60) + big16(4) + [1, 2, 3, 4]
        message.replaceSubrange(2..<8, with: big16(0x8180) + big16(1) + big16(1))
        return message
    }
    private static func streamed(_ message: [UInt8]) -> [UInt8] { big16(message.count) + message }
    private static func smb(size: UInt8) -> [UInt8] {
        big32(64) + [0xFE] + Array("SMB".utf8) + [size, 0] + Array(repeating: 0, count: 58)
    }
    private static let junk = Array(repeating: UInt8(0x99), count: 40)
    private static let hello: [UInt8] =
        [0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3] + Array(repeating: 7, count: 32) + [0, 0, 2, 0x13, 1, 1, 0, 0, 0]
    private static let modbus: [UInt8] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]
    private static let http = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

    struct Stream: Sendable, CustomTestStringConvertible {
        var name: String
        var port: Int
        /// What the client says, segment by segment, then what the server says.
        var client: [[UInt8]]
        var server: [UInt8] = []
        var findings: Set<String> = []
        var testDescription: String { "\(name) at \(port)" }
    }

    static let streams: [Stream] =
        [53, 5300].flatMap { port in
            [
                Stream(
                    name: "a question", port: port, client: [streamed(query())], server: streamed(answer(loops: false))),
                Stream(name: "two at once", port: port, client: [streamed(query()) + streamed(query())]),
                Stream(
                    name: "questions that are not there", port: port, client: [streamed(query(3))],
                    findings: ["dns.question_count", "dns.counts"]),
                Stream(
                    name: "the second of two", port: port, client: [streamed(query()) + streamed(query(3))],
                    findings: ["dns.question_count", "dns.counts"]),
                Stream(
                    name: "the length alone first", port: port,
                    client: [Array(streamed(query(3)).prefix(2)), Array(streamed(query(3)).dropFirst(2))],
                    findings: ["dns.question_count", "dns.counts"]),
                Stream(
                    name: "an answer that loops", port: port, client: [streamed(query())],
                    server: streamed(answer(loops: true)), findings: ["dns.pointer_loop"]),
                Stream(
                    name: "a part of one", port: port, client: [streamed(query())],
                    server: Array(streamed(answer(loops: true)).prefix(33)), findings: ["dns.pointer_loop"]),
                // A header of nonsense behind a length that is right.
                Stream(
                    name: "nothing known", port: port, client: [streamed(junk)],
                    findings: port == 53 ? ["dns.opcode", "dns.counts"] : []),
                Stream(name: "a web server", port: port, client: [http]),
                Stream(name: "TLS", port: port, client: [hello]), Stream(name: "Modbus", port: port, client: [modbus]),
            ]
        }
        + [139, 445, 4450].flatMap { port in
            [
                Stream(name: "SMB", port: port, client: [smb(size: 64)]),
                Stream(name: "SMB's header", port: port, client: [smb(size: 65)], findings: ["smb.header"]),
                Stream(
                    name: "SMB's header behind its length", port: port,
                    client: [Array(smb(size: 65).prefix(4)), Array(smb(size: 65).dropFirst(4))],
                    findings: ["smb.header"]),
                Stream(
                    name: "nothing known", port: port, client: [junk], findings: port == 4450 ? [] : ["netbios.type"]),
                Stream(name: "a web server", port: port, client: [http]),
                Stream(name: "TLS", port: port, client: [hello]),
                Stream(name: "SSH", port: port, client: [Array("SSH-2.0-x\r\n".utf8)]),
            ]
        } + [
            Stream(
                name: "HTTP's answer to TLS", port: 443, client: [hello], server: Array("HTTP/1.1 400 x\r\n\r\n".utf8)),
            Stream(
                name: "a line that is none", port: 80, client: [Array("GET  / HTTP/1.1\r\n\r\n".utf8)],
                findings: ["http.request_line"]),
            Stream(
                name: "a line that is none", port: 53, client: [Array("GET  / HTTP/1.1\r\n\r\n".utf8)],
                findings: ["http.request_line"]),
        ]

    @Test(arguments: streams) func stream(_ row: Stream) throws {
        var rig = try Rig()
        var found: [String] = []
        func play(_ from: Party, _ to: Party, _ sequence: Int, _ number: Int, _ flags: TCPFlags, _ text: [UInt8] = []) {
            let ports = from == .web ? big16(row.port) + big16(40_000) : big16(40_000) + big16(row.port)
            _ = rig.inspect(
                Family.v4.ip(
                    from, to, 6,
                    ports + big32(sequence) + big32(number) + [0x50, flags.rawValue] + big16(8_000) + big32(0) + text))
            found += rig.findings
        }
        play(.client, .web, 0, 0, .syn)
        play(.web, .client, 1, 1, [.syn, .ack])
        play(.client, .web, 1, 2, .ack)
        var sent = 1
        for text in row.client {
            play(.client, .web, sent, 2, [.psh, .ack], text)
            sent += text.count
        }
        if !row.server.isEmpty { play(.web, .client, 2, sent, [.psh, .ack], row.server) }
        #expect(Set(found) == row.findings && found.count == row.findings.count, "\(found)")
    }

    /// What is asked to be dropped is, and its stream with it, though only the second segment told.
    @Test func whatIsDroppedForItsBeginning() throws {
        var rig = try Rig()
        rig.open(.client, .web, .v4, port: 5300)
        func part(_ sequence: Int, _ text: [UInt8]) -> [UInt8] {
            Family.v4.ip(
                .client, .web, 6,
                big16(40_000) + big16(5300) + big32(sequence) + big32(2) + [0x50, 0x18] + big16(512) + big32(0) + text)
        }
        var loop = Self.query()
        loop.replaceSubrange(12..., with: big16(0xC00C) + big16(1) + big16(1) + big16(0))
        let bytes = Self.streamed(Self.query()) + Self.streamed(loop)
        #expect(rig.inspect(part(1, Array(bytes.prefix(2)))).verdict == .accept)
        #expect(rig.inspect(part(3, Array(bytes.dropFirst(2)))) == dropped(.evasion))
        #expect(rig.findings.contains("dns.pointer_loop"))
        #expect(rig.inspect(part(3, Array(bytes.dropFirst(2)))).verdict == .drop)
    }

    /// Real programs, captured between two network namespaces: dig asks dnsmasq three times over one connection to port
    /// 5300, curl fetches from a web server at port 53 and one at 445, and dig asks a server at port 5301 that answers
    /// with a name that points at itself, its length in a segment of its own.
    @Test func realPrograms() throws {
        let capture = Files.root + "/Tests/InspectionTests/Captures/applications.pcap"
        let events = try replay([capture], home: ["10.99.0.2"]) { $0.events.flows = true }.events()
        let odd = events.compactMap { ($0["anomaly"] as? [String: Any])?["event"] as? String }
        #expect(odd == ["dns.pointer_loop"])
        let spoken = events.filter { $0["event_type"] as? String == "flow" }.map {
            "\($0["dest_port"] as? Int ?? 0) \($0["app_proto"] as? String ?? "")"
        }
        #expect(Set(spoken) == ["5300 dns", "53 http", "445 http", "5301 dns"])
    }

    struct Datagram: Sendable, CustomTestStringConvertible {
        var name: String
        var port: Int
        var bytes: [UInt8]
        var findings: Set<String> = []
        var testDescription: String { "\(name) at \(port)" }
    }

    static let datagrams: [Datagram] = [53, 5300].flatMap { port in
        [
            Datagram(name: "a question", port: port, bytes: query()),
            Datagram(
                name: "questions that are not there", port: port, bytes: query(3),
                findings: ["dns.question_count", "dns.counts"]),
            Datagram(
                name: "nothing known", port: port, bytes: junk,
                findings: port == 53 ? ["dns.opcode", "dns.counts"] : []),
            Datagram(name: "QUIC", port: port, bytes: [0xC3, 0, 0, 0, 1, 8] + Array(repeating: 0, count: 40)),
            Datagram(name: "NTP", port: port, bytes: [0x23] + Array(repeating: 0, count: 47)),
        ]
    }

    @Test(arguments: datagrams) func datagram(_ row: Datagram) throws {
        var rig = try Rig()
        _ = rig.inspect(
            Family.v4.ip(
                .client, .dns, 17,
                big16(40_000) + big16(row.port) + big16(8 + row.bytes.count) + big16(0) + row.bytes))
        #expect(Set(rig.findings) == row.findings && rig.findings.count == row.findings.count, "\(rig.findings)")
    }
}
