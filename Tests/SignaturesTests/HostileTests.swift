import Evidence
import Signatures
import Testing
import Wire

/// Text that is no rule, rules cut short, payloads made to be slow: nothing traps, nothing takes long.
@Suite struct HostileTests {
    static let rule =
        #"alert tcp [$HOME_NET,!10.0.0.0/8,fe80::1-fe80::9] [1:5,!3] <> !$EXTERNAL_NET any "#
        + #"(msg:"a\;b"; content:!"x|00 ff|\"",nocase,depth 9; content:"y"; distance:-3; within:7; "#
        + #"dsize:2<>900; flags:*SA,12; classtype:misc-attack; reference:url,x; gid:2; sid:77; rev:1;)"#

    @Test func everyBeginningOfARule() throws {
        let bytes = Array(HostileTests.rule.utf8)
        let whole = try compile(HostileTests.rule)
        #expect(whole.problems == [] && whole.rules.count == 1)
        for length in 1..<bytes.count {
            let cut = String(decoding: bytes[..<length], as: UTF8.self)
            let rules = try compile(cut)
            #expect(rules.rules.isEmpty && rules.problems.count == 1, "\(cut)")
        }
    }

    @Test func everyByteOfARuleChanged() throws {
        var random = SeededGenerator(state: 7)
        let bytes = Array(HostileTests.rule.utf8)
        for place in bytes.indices {
            var other = bytes
            other[place] = UInt8.random(in: 0...255, using: &random)
            let rules = try compile(String(decoding: other, as: UTF8.self))
            #expect(rules.rules.count + rules.problems.count <= 3)
        }
    }

    @Test func randomText() throws {
        var random = SeededGenerator(state: 1)
        let pieces = [
            "alert", "tcp", "any", "->", "<>", "(", ")", "[", "]", "!", "$", "$HOME_NET", ",", ":", ";",
            "\"", "\\", "|", "content", "msg", "sid", "1", "-", "0x", "flags", "dsize", " ", "\n", "\u{0}",
            "é", "within", "99999999999999999999",
        ]
        for _ in 0..<400 {
            var text = ""
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                text += pieces.randomElement(using: &random)!
                if Bool.random(using: &random) { text += " " }
            }
            let rules = try compile(text)
            #expect(rules.rules.isEmpty)
            #expect(rules.problems.allSatisfy { !$0.reason.isEmpty })
            let prefixed = try compile("alert tcp any any -> any any (\(text) sid:1;)")
            #expect(prefixed.problems.allSatisfy { !$0.reason.isEmpty })
        }
    }

    /// Chains that a search with plain backtracking would try in billions of ways.
    @Test func chainsThatFailLateAreFast() throws {
        let link = "content:\"a\"; within:5000; "
        let chain = String(repeating: link, count: 30) + "content:\"b\"; within:3;"
        let rules = try compile(
            "alert tcp any any -> any any (content:\"a\"; \(chain) sid:1;)\n"
                + "alert tcp any any -> any any (content:\"A\"; nocase; \(chain) sid:2;)")
        #expect(rules.problems == [])
        let payload = Array(repeating: UInt8(ascii: "a"), count: 1_400)
        #expect(try rules.alerts(.tcp(bytes: payload)) == [])
        #expect(try rules.alerts(.tcp(bytes: payload + Array("b".utf8))) == [1, 2])
    }

    /// A search that would be quadratic is given up, and counted.
    @Test func aSearchThatTakesTooLongIsCounted() throws {
        let rules = try compile(
            "alert udp any any -> any any (content:\"a\"; content:!\"\(String(repeating: "a", count: 200))b\"; "
                + "nocase; distance:0; content:\"c\"; within:1; sid:1;)")
        var matcher = try Matcher(rules)
        let payload = Array(repeating: UInt8(ascii: "a"), count: 60_000)
        #expect(matcher.findings(Sample.udp(bytes: payload).bytes).count == 0)
        #expect(matcher.abandonedSearches == 1)
        #expect(matcher.findings(Sample.udp(bytes: Array("aac".utf8)).bytes).count == 1)
        #expect(matcher.abandonedSearches == 1)
    }

    /// Headers that lie: whatever the decoder makes of them, the matcher stays inside the bytes.
    @Test func randomPackets() throws {
        let rules = try compile(
            "alert ip any any -> any any (content:\"|00|\"; content:!\"|ff|\"; distance:3; sid:1;)\n"
                + "alert tcp any any -> any :1023 (content:\"|01|\"; sid:2;)\n"
                + "alert udp any 53 -> any any (dsize:<9; sid:3;)")
        var matcher = try Matcher(rules)
        var random = SeededGenerator(state: 3)
        for _ in 0..<2_000 {
            var bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if let first = bytes.first { bytes[0] = first & 1 == 0 ? 0x45 : 0x60 }
            let findings = matcher.findings(bytes)
            #expect(findings.count <= 3)
            // A record that points outside of the bytes is not believed.
            var packet = Packet()
            packet.kind = .udp
            packet.ipVersion = 4
            packet.payloadOffset = Int32.random(in: -9...99, using: &random)
            packet.payloadLength = Int32.random(in: -9...99, using: &random)
            var more = Findings()
            unsafe matcher.inspect(packet, bytes.span.bytes, into: &more)
            #expect(more.count <= 3)
        }
    }
}
