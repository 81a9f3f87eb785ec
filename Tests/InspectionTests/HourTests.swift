import Configuration
import Evidence
import Events
import Floods
import Foundation
import Inspection
import Sensor
import Store
import Testing
import Wire

@testable import Sinks

/// What an operator sees of an hour of mixed traffic, in the capture's time: one line for each thing that happened.
@Suite struct HourTests {
    private static let web: [UInt8] = [10, 0, 0, 2]
    private static let dns: [UInt8] = [10, 0, 0, 3]
    private static let client: [UInt8] = [198, 51, 100, 10]
    private static let resolver: [UInt8] = [198, 51, 100, 11]
    private static let prober: [UInt8] = [203, 0, 113, 1]
    private static let burglar: [UInt8] = [203, 0, 113, 2]
    private static let base: [UInt8] = [203, 0, 113, 66]
    private static let mapper: [UInt8] = [203, 0, 113, 3]

    private static let rules = """
        alert tcp any any -> $HOME_NET 80 (msg:"Burglary"; flow:established,to_server; content:"/cgi-bin/evil"; \
        classtype:attempted-admin; sid:1;)
        alert tcp $HOME_NET any -> any 4444 (msg:"Call home"; flow:established,to_server; content:"hello master"; \
        classtype:trojan-activity; sid:2;)

        """

    private static func ip(_ from: [UInt8], _ to: [UInt8], _ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
        var header = [0x45, 0] + big16(20 + payload.count) + big16(1) + [0x40, 0, 64, number, 0, 0] + from + to
        header.replaceSubrange(10..<12, with: big16(checksum(header)))
        return header + payload
    }

    private static func tcp(
        _ from: [UInt8], _ source: Int, _ to: [UInt8], _ destination: Int, _ sequence: Int, _ acknowledged: Int,
        _ flags: TCPFlags, _ text: String = ""
    ) -> [UInt8] {
        var bytes = big16(source) + big16(destination) + big32(sequence) + big32(acknowledged)
        bytes += [0x50, flags.rawValue] + big16(8192) + [0, 0, 0, 0] + Array(text.utf8)
        bytes.replaceSubrange(16..<18, with: big16(checksum(from + to + [0, 6] + big16(bytes.count) + bytes)))
        return ip(from, to, 6, bytes)
    }

    private static func udp(_ from: [UInt8], _ source: Int, _ to: [UInt8], _ destination: Int, _ body: [UInt8])
        -> [UInt8]
    {
        ip(from, to, 17, big16(source) + big16(destination) + big16(8 + body.count) + [0, 0] + body)
    }

    /// A whole connection: a question and an answer.
    private static func talk(
        _ from: [UInt8], _ source: Int, _ to: [UInt8], _ destination: Int, _ question: String, _ answer: String
    ) -> [[UInt8]] {
        let (asked, answered) = (1001 + question.utf8.count, 5001 + answer.utf8.count)
        return [
            tcp(from, source, to, destination, 1000, 0, .syn),
            tcp(to, destination, from, source, 5000, 1001, [.syn, .ack]),
            tcp(from, source, to, destination, 1001, 5001, .ack),
            tcp(from, source, to, destination, 1001, 5001, [.psh, .ack], question),
            tcp(to, destination, from, source, 5001, asked, [.psh, .ack], answer),
            tcp(from, source, to, destination, asked, answered, [.fin, .ack]),
            tcp(to, destination, from, source, answered, asked + 1, [.fin, .ack]),
            tcp(from, source, to, destination, asked + 1, answered + 1, .ack),
        ]
    }

    /// An hour, second by second: who does what.
    private static func hour() -> Capture {
        var capture = Capture()
        let start = capture.time
        for second in 0..<3600 {
            capture.time = start + UInt64(second) * 1_000_000_000
            var packets: [[UInt8]] = []
            // Ordinary: pages, names, pings.
            if second % 2 == 0 {
                packets += talk(
                    client, 20_000 + second, web, 80, "GET / HTTP/1.1\r\nHost: web\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
            if second % 3 == 0 {
                let name: [UInt8] = [3] + Array("www".utf8) + [7] + Array("example".utf8) + [0, 0, 1, 0, 1]
                let head = big16(second) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
                packets.append(udp(dns, 30_000 + second, resolver, 53, head + name))
            }
            if second % 5 == 0 {
                var ping: [UInt8] = [8, 0, 0, 0] + big16(7) + big16(second) + Array(repeating: 0x61, count: 48)
                ping.replaceSubrange(2..<4, with: big16(checksum(ping)))
                packets.append(ip(client, web, 1, ping))
            }
            // 1: somebody tries the doors of both guests, again and again.
            if (300..<330).contains(second) {
                for guest in [web, dns] { packets.append(tcp(prober, 40_000 + second, guest, 445, 1, 0, .syn)) }
            }
            // 2: a burglary, and what the guest does afterwards, every minute to the end.
            if second == 1500 {
                packets += talk(
                    burglar, 40_001, web, 80, "GET /cgi-bin/evil HTTP/1.1\r\nHost: web\r\n\r\n",
                    "HTTP/1.1 200 OK\r\n\r\n")
            }
            if second > 1500, second % 60 == 10 {
                packets += talk(web, 50_000 + second, base, 4444, "hello master", "do it")
            }
            // 3: a map is made, with packets that nobody else sends.
            if (3000..<3060).contains(second) {
                packets.append(tcp(mapper, 45_000, dns, 1000 + second, 1, 0, [.fin, .psh, .urg]))
            }
            for packet in packets {
                capture.add(packet)
                capture.time += 1_000_000
            }
            // 4 and 5: floods, their sources forged.
            if (900..<910).contains(second) {
                for number in 0..<3000 {
                    let source = [172, 20, UInt8(number >> 8 & 255), UInt8(number & 255)]
                    capture.add(tcp(source, 1024 + number, web, 80, number, 0, .syn))
                    capture.time += 200_000
                }
            }
            if (2400..<2405).contains(second) {
                for number in 0..<10_000 {
                    let source = [172, 21, UInt8(number >> 8 & 255), UInt8(number & 255)]
                    capture.add(udp(source, 123, dns, 9000, Array(repeating: 0x62, count: 100)))
                    capture.time += 80_000
                }
            }
        }
        return capture
    }

    private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = NSTemporaryDirectory() + "flinch-hour-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    /// The incidents that the store makes of a replay's events.
    private func incidents(_ replayed: Replayed, _ folder: String) throws -> [Incident] {
        let path = folder + "/s.sqlite"
        var store = StoreSettings(path: path)
        // The capture's time is years ago.
        store.retention.days = 36_500
        let channel = StoreChannel(store)
        var lines = replayed.eve.split(separator: 10).map { Array($0) + [10] }[...]
        while !lines.isEmpty {
            let delivery = channel.deliver(lines.prefix(channel.batchLimit), Patience())
            #expect(delivery.taken > 0 && delivery.refused == 0, "\(delivery.problem ?? "")")
            guard delivery.taken > 0 else { break }
            lines = lines.dropFirst(delivery.taken)
        }
        var question = StoreReader.Question()
        question.limit = 1000
        return try StoreReader(path: path).incidents(question)
    }

    @Test func oneLineForEachThingThatHappened() throws {
        try withFolder { folder in
            let rules = folder + "/own.rules"
            try HourTests.rules.write(toFile: rules, atomically: true, encoding: .utf8)
            var floods = FloodLimits()
            floods[.udp] = FloodLimit(entry: 5000, action: .throttle)
            let replayed = try HourTests.hour().written { path in
                try replay([path], home: ["10.0.0.2", "10.0.0.3"], floods: floods) {
                    $0.rules.files = [Files.starterRules, rules]
                }
            }
            let found = try incidents(replayed, folder).sorted { $0.first < $1.first }
            let told = found.map { "\($0.actor) \($0.parts.map(\.title))" }
            #expect(found.count == 5, "\(told)")
            guard found.count == 5 else { return }
            #expect(found[0].actor == "203.0.113.1" && found[0].count >= 60)
            #expect(found[1].parts.first?.title.contains("syn flood") == true)
            #expect(found[2].actor == "203.0.113.2")
            #expect(
                found[2].parts.map(\.title)
                    == ["Burglary", "Call home", "BEHAVIOUR guest home calls at a fixed period"])
            #expect(found[2].parts.map(\.count) == [1, 35, 1])
            #expect(found[3].parts.first?.title.contains("udp flood") == true)
            #expect(found[4].actor == "203.0.113.3")
            // Nothing of what is ordinary.
            for address in ["198.51.100.10", "198.51.100.11"] {
                #expect(!found.contains { $0.actor == address })
            }
        }
    }

    /// What packets say is never a line, a field or a command of ours, whatever quotes, ends and tags it has.
    @Test(arguments: [
        "\n{\"event_type\":\"alert\"}\n", "\",\"event_type\":\"alert\",\"x\":\"", "</script><script>alert(1)</script>",
        "\u{1B}[2J\u{1B}]0;owned\u{07}", "\u{202E}gnp.exe\u{2028}", "\\u0000\\\"", "'; DROP TABLE event; --",
    ])
    func whatPacketsSayStaysTheirs(_ text: String) throws {
        try withFolder { folder in
            let rules = folder + "/own.rules"
            try #"alert tcp any any -> any 80 (msg:"Evil <b>\"quoted\"</b>"; content:"EVIL"; sid:1;)"#
                .write(toFile: rules, atomically: true, encoding: .utf8)
            var capture = Capture()
            let talk = HourTests.talk(
                HourTests.client, 40_000, HourTests.web, 80, "GET /EVIL\(text) HTTP/1.1\r\nHost: \(text)\r\n\r\n", text)
            for packet in talk { capture.add(packet) }
            let replayed = try capture.written { path in
                try replay([path], home: ["10.0.0.2"]) {
                    $0.rules.files = [rules]
                    $0.events.flows = true
                }
            }
            let events = try replayed.events()
            #expect(
                Set(events.compactMap { $0["event_type"] as? String }).isSubset(of: [
                    "alert", "anomaly", "flow", "stats",
                ]))
            let alerts = events.filter { $0["event_type"] as? String == "alert" }
            #expect(alerts.count == 1 && (alerts.first?["payload_printable"] as? String)?.contains("EVIL") == true)
            // In the file: no control byte but the lines' ends, and nothing beyond ASCII that came in a packet.
            #expect(replayed.eve.allSatisfy { $0 == 10 || $0 >= 0x20 && $0 < 0x7F })
            let found = try incidents(replayed, folder)
            #expect(found.count == 1 && found.first?.parts.contains { $0.title == "Evil <b>\"quoted\"</b>" } == true)
            for line in replayed.eve.split(separator: 10) {
                guard let notice = Notice(line: line) else { continue }
                #expect(!notice.sentence.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
            }
        }
    }
}
