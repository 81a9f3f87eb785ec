import Evidence
import Foundation
import Lab
import Synchronization
import Testing
import Wire

@testable import Events

/// Packets kept by a worker, and captures of them.
struct EvidenceTests {
    private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = NSTemporaryDirectory() + "flinch-evidence-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    /// An IPv4 datagram with these bytes after its headers.
    private func packet(_ text: String, port: UInt16 = 53) -> [UInt8] {
        let body = Array(text.utf8)
        func be16(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }
        let header: [UInt8] = [0x45, 0] + be16(28 + body.count) + [0, 1, 0, 0, 64, 17, 0, 0]
        return header + [198, 51, 100, 9, 192, 0, 2, 10] + be16(40_000) + be16(Int(port)) + be16(8 + body.count)
            + [0, 0] + body
    }

    private func arrival(_ change: (inout Arrival) -> Void = { _ in }) -> Arrival {
        var arrival = Arrival(time: sampleTime)
        arrival.hardwareProtocol = 0x0800
        arrival.sourceMAC = 0x0200_0000_000A
        arrival.destinationMAC = 0x0200_0000_000B
        change(&arrival)
        return arrival
    }

    private func texts(_ ring: PacketRing, _ group: UInt64) -> [String] {
        var texts: [String] = []
        ring.read(from: 0, to: ring.written, where: { $0 == group }) { entry, bytes in
            texts.append(String(decoding: bytes.dropFirst(28), as: UTF8.self))
        }
        return texts
    }

    private func event(_ evidence: UInt64, flow: UInt64 = 77, _ change: (inout Event) -> Void = { _ in }) -> Event {
        sampleEvent {
            $0.finding = Finding(.signature, code: 0, concern: .high, asks: .accept)
            $0.evidence = evidence
            $0.flow = flow
            change(&$0)
        }
    }

    private func tcpdump(_ path: String, _ more: String...) throws -> [String] {
        let program = try Program.start(["tcpdump", "-n", "-tt", "-r", path] + more)
        #expect(program.wait(atMost: .seconds(20)) == .exited(0), "\(program.complained)")
        return program.printed.split(separator: "\n").map(String.init)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    // MARK: - The ring

    @Test func theNewestTakeThePlaceOfTheOldest() {
        let ring = PacketRing(memory: 1 << 16)
        var writer = ring.makeWriter()
        // 128 entries and 64 KiB: by number, then by bytes.
        for number in 0..<1000 {
            let bytes = packet("packet \(number)")
            unsafe writer.append(bytes.span.bytes, .ip, arrival(), group: UInt64(number % 2 + 1))
        }
        #expect(texts(ring, 2) == (872..<1000).filter { $0 % 2 == 1 }.map { "packet \($0)" })
        for number in 0..<1000 {
            let bytes = packet("\(number) " + String(repeating: "x", count: 3000))
            unsafe writer.append(bytes.span.bytes, .ip, arrival(), group: 3)
        }
        let left = texts(ring, 3).map { Int($0.prefix { $0 != " " }) }
        #expect(left.count >= 18 && left.count <= 21 && left == Array(left.first!!...999))
        #expect(texts(ring, 1).isEmpty && texts(ring, 4).isEmpty)
    }

    @Test func ofLongPacketsTheBeginning() {
        let ring = PacketRing(memory: 1 << 16)
        var writer = ring.makeWriter()
        let long = packet(String(repeating: "y", count: 30_000))
        unsafe writer.append(long.span.bytes, .ip, arrival(), group: 1)
        var seen: [(UInt32, Int)] = []
        ring.read(from: 0, to: ring.written, where: { _ in true }) { seen.append(($0.length, $1.count)) }
        #expect(seen.count == 1 && seen[0] == (30_028, PacketRing.snapLength))
    }

    /// What is read while it is written is whole, or is left out.
    @Test func readWhileItIsWritten() throws {
        let ring = PacketRing(memory: 1 << 16)
        let isDone = Atomic<Bool>(false)
        let thread = try ServiceThread(name: "test-writer") {
            var writer = ring.makeWriter()
            var number: UInt64 = 0
            while !isDone.load(ordering: .relaxed) {
                let byte = UInt8(truncatingIfNeeded: number)
                let bytes = [UInt8](repeating: byte, count: 100 + Int(number % 1400))
                unsafe writer.append(bytes.span.bytes, .ip, Arrival(time: number), group: 1 + number % 3)
                number += 1
            }
        }
        var read = 0
        let end = Date(timeIntervalSinceNow: 30)
        while read < 20_000, Date() < end {
            ring.read(from: 0, to: ring.written, where: { $0 == 2 }) { entry, bytes in
                read += 1
                let isWhole =
                    entry.group == 1 + entry.time % 3 && bytes.count == 100 + Int(entry.time % 1400)
                    && bytes.allSatisfy { $0 == UInt8(truncatingIfNeeded: entry.time) }
                if !isWhole { Issue.record("packet \(entry.time) is torn") }
            }
        }
        isDone.store(true, ordering: .relaxed)
        thread.join()
        #expect(read >= 20_000)
    }

    // MARK: - Captures

    @Test func tcpdumpReadsThem() throws {
        try withFolder { folder in
            let ring = PacketRing(memory: 1 << 20)
            var writer = ring.makeWriter()
            let recorder = try EvidenceRecorder(
                rings: [ring], folder: folder + "/deep/er", fileLimit: 1 << 20, limit: 1 << 22)
            let (one, two) = (packet("one"), packet("two"))
            unsafe writer.append(one.span.bytes, .ip, arrival(), group: 5)
            unsafe writer.append(two.span.bytes, .ip, arrival(), group: 6)
            let tagged = arrival {
                $0.time += 1_000_001_000
                $0.hasTag = true
                $0.tag = 42
            }
            unsafe writer.append(one.span.bytes, .ip, tagged, group: 5)
            let path = try #require(recorder.capture(event(5), ring: 0))
            #expect(path == folder + "/deep/er/20261123T211839.123456-77.pcap")
            // The same flow again is the same capture, which goes on.
            #expect(recorder.capture(event(5), ring: 0) == path)
            unsafe writer.append(one.span.bytes, .ip, arrival(), group: 5)
            recorder.follow(isLast: true)
            let lines = try tcpdump(path, "-e", "--nano")
            #expect(lines.count == 3, "\(lines)")
            #expect(
                lines[0].hasPrefix(
                    "1795468719.123456789 02:00:00:00:00:0a > 02:00:00:00:00:0b, ethertype IPv4 (0x0800), length 45: "
                        + "198.51.100.9.40000 > 192.0.2.10.53:"))
            #expect(lines[1].contains("vlan 42") && lines[1].hasPrefix("1795468720.123457789"))
            #expect(try mode(path) == 0o600 && mode(folder + "/deep/er") == 0o700)
            let figures = recorder.figures
            #expect(figures.files == 1 && figures.missed == 0)
            #expect(figures.bytes == 24 + 3 * (16 + 14 + 31) + 4)
        }
    }

    @Test func onlyForWhatIsOfHighConcern() throws {
        try withFolder { folder in
            let ring = PacketRing(memory: 1 << 20)
            var writer = ring.makeWriter()
            let one = packet("one")
            unsafe writer.append(one.span.bytes, .ip, arrival(), group: 5)
            let recorder = try EvidenceRecorder(rings: [ring], folder: folder, fileLimit: 1 << 20, limit: 1 << 22)
            let none = [
                event(5) { $0.finding = Finding(.signature, code: 0, concern: .medium, asks: .accept) },
                event(5) { $0.summary.count = 3 }, event(0),
            ]
            for event in none { #expect(recorder.capture(event, ring: 0) == nil) }
            #expect(recorder.figures == EvidenceFigures())
            // Of a flow that nothing is kept of any more there is none, and that is told.
            #expect(recorder.capture(event(9), ring: 0) == nil)
            #expect(recorder.figures.missed == 1 && recorder.figures.lastError?.contains("overwritten") == true)
        }
    }

    /// A storm makes so many, and no more; the oldest make room; and nobody else's files are touched.
    @Test func limits() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let strange = ["notes.txt", "2026.pcap", "20261123T211839.123456-x.pcap"]
            for name in strange { try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/" + name)) }
            let ring = PacketRing(memory: 4 << 20)
            var writer = ring.makeWriter()
            let big = packet(String(repeating: "z", count: 1000))
            func storm(_ first: Int) throws -> Int {
                for flow in first..<first + 100 {
                    for _ in 0..<10 { unsafe writer.append(big.span.bytes, .ip, arrival(), group: UInt64(flow)) }
                }
                let recorder = try EvidenceRecorder(rings: [ring], folder: folder, fileLimit: 4096, limit: 20_000)
                let paths = (first..<first + 100).compactMap { flow in
                    recorder.capture(event(UInt64(flow), flow: UInt64(flow)), ring: 0)
                }
                recorder.follow(isLast: true)
                #expect(recorder.figures.missed == UInt64(100 - paths.count))
                #expect(recorder.figures.bytes <= 20_000)
                for path in paths.suffix(3) {
                    // A file holds whole packets only.
                    #expect(try tcpdump(path).count == 3)
                }
                return paths.count
            }
            for first in [1000, 2000] {
                let made = try storm(first)
                #expect((10...15).contains(made), "ten at once, and ten more for each second that it took")
                let names = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(strange.allSatisfy(names.contains))
                let captures = names.filter { !strange.contains($0) }
                #expect(captures.count >= 4 && captures.count <= 6, "\(captures)")
                #expect(captures.allSatisfy { $0.contains("-\(first / 1000)0") })
            }
        }
    }

    @Test func aFolderThatCannotBeUsed() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: folder + "/file"))
            let error = #expect(throws: EvidenceError.self) {
                try EvidenceRecorder(rings: [], folder: folder + "/file", fileLimit: 1, limit: 1)
            }
            #expect(error?.description.contains("evidence.folder") == true)
            // One that was readable is so no longer; a link elsewhere is refused.
            unsafe _ = chmod(folder, 0o755)
            _ = try EvidenceRecorder(rings: [], folder: folder, fileLimit: 1, limit: 1)
            #expect(try mode(folder) == 0o700)
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "/tmp")
            #expect(throws: EvidenceError.self) {
                try EvidenceRecorder(rings: [], folder: folder + "/link", fileLimit: 1, limit: 1)
            }
        }
    }

    /// A disk that is full costs the capture, and nothing else.
    @Test func aFullDisk() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let mount = try Program.start(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder])
            try #require(mount.wait(atMost: .seconds(10)) == .exited(0), "\(mount.complained)")
            defer { unsafe _ = umount(folder) }
            try Data(count: 65_000).write(to: URL(fileURLWithPath: folder + "/filler"))
            let ring = PacketRing(memory: 1 << 20)
            var writer = ring.makeWriter()
            let big = packet(String(repeating: "z", count: 1000))
            unsafe writer.append(big.span.bytes, .ip, arrival(), group: 5)
            let recorder = try EvidenceRecorder(rings: [ring], folder: folder, fileLimit: 1 << 20, limit: 1 << 22)
            #expect(recorder.capture(event(5), ring: 0) == nil)
            #expect(recorder.figures.missed == 1)
            #expect(recorder.figures.lastError?.contains("No space left") == true)
        }
    }

    /// The line names it, and the schema knows the name.
    @Test func theLineNamesIt() throws {
        try withFolder { folder in
            let events = EventRing(capacity: 64)
            let ring = PacketRing(memory: 1 << 20)
            var packets = ring.makeWriter()
            let one = packet("one")
            unsafe packets.append(one.span.bytes, .ip, arrival(), group: 5)
            let basket = Basket()
            let collector = try EventCollector(
                rings: [events], outlets: [basket], names: sampleNames,
                evidence: .init(packets: [ring], folder: folder, fileLimit: 1 << 20, limit: 1 << 22), interval: 1)
            var writer = events.makeWriter()
            writer.append(event(5))
            writer.append(sampleEvent())
            try collector.start()
            collector.stop()
            let name = folder + "/20261123T211839.123456-77.pcap"
            #expect(basket.lines[0].contains(#""capture_file":"\#(name)""#))
            #expect(!basket.lines[1].contains("capture_file"))
            #expect(try tcpdump(name).count == 1)
            #expect(collector.evidence?.files == 1)
        }
    }

    /// What `lines` are for an event about one of three packets of one flow, which a worker kept.
    private func line(
        _ texts: [String], of number: UInt64, group: UInt64 = 5, shows: Bool = true,
        _ change: (inout Event) -> Void = { _ in }
    ) throws -> [String: Any] {
        try withFolder { folder in
            let events = EventRing(capacity: 64)
            let ring = PacketRing(memory: 1 << 16)
            var packets = ring.makeWriter()
            var decoded = Packet()
            for (index, text) in texts.enumerated() {
                let bytes = packet(text)
                let kept = unsafe packets.append(bytes.span.bytes, .ip, arrival(), group: 5)
                if kept == number { decoded = unsafe Decoder.decode(bytes.span.bytes, as: .ip) }
                #expect(kept == UInt64(index))
            }
            let basket = Basket()
            let collector = try EventCollector(
                rings: [events], outlets: [basket], names: sampleNames,
                evidence: .init(
                    packets: [ring], folder: folder, fileLimit: 1 << 20, limit: 1 << 22, showsPackets: shows),
                interval: 1)
            var writer = events.makeWriter()
            writer.append(
                event(group) {
                    $0.packet = decoded
                    $0.keptPacket = number
                    change(&$0)
                })
            try collector.start()
            collector.stop()
            return try #require(
                JSONSerialization.jsonObject(with: Data(basket.lines[0].utf8)) as? [String: Any])
        }
    }

    /// The packet that was found, of several of its flow that came at the same time, with an Ethernet header made of
    /// what is known of it.
    @Test func alertsShowTheirPacket() throws {
        let line = try line(["one", "two", "three"], of: 1)
        #expect(line["payload_printable"] as? String == "two" && line["stream"] as? Int == 0)
        #expect(line["payload"] as? String == Data("two".utf8).base64EncodedString())
        let frame: [UInt8] = [2, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 10, 8, 0] + packet("two")
        #expect(line["packet"] as? String == Data(frame).base64EncodedString())
        #expect((line["packet_info"] as? [String: Any])?["linktype"] as? Int == 1)
    }

    @Test func ofALongPacketItsBeginning() throws {
        let line = try line([String(repeating: "x", count: 9000)], of: 0)
        #expect((line["payload_printable"] as? String)?.count == PacketRing.snapLength - 28)
    }

    /// Of what came in a tunnel, the packet around it; of what was overwritten, of another flow's and of what stands
    /// for many, nothing; nor where nobody wants it.
    @Test func whatIsNotKeptIsNotShown() throws {
        let tunnelled = try line(["one"], of: 0) {
            $0.origin = Origin(.gre, depth: 1, outer: $0.packet)
        }
        #expect(tunnelled["payload"] == nil && tunnelled["packet"] != nil)
        let many = Array(repeating: String(repeating: "y", count: 3000), count: 60)
        #expect(try line(many, of: 0)["packet"] == nil)
        #expect(try line(many, of: 59)["packet"] != nil)
        #expect(try line(["one"], of: 0, group: 6)["packet"] == nil)
        #expect(try line(["one"], of: 7)["packet"] == nil)
        #expect(try line(["one"], of: 0) { $0.summary.count = 2 }["packet"] == nil)
        #expect(try line(["one"], of: 0, shows: false)["packet"] == nil)
    }
}
