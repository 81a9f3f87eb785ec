import Foundation
import Intake
import Testing
import Wire

/// A pcap file in memory, little-endian, with nanoseconds.
private struct Savefile {
    var bytes: [UInt8]

    init(linkType: UInt32, magic: UInt32 = 0xA1B2_3C4D) {
        bytes = little(magic) + [2, 0, 4, 0] + little(0) + little(0) + little(65_535) + little(linkType)
    }

    mutating func add(_ data: [UInt8], seconds: UInt32 = 1, fraction: UInt32 = 2, wire: Int? = nil) {
        bytes += little(seconds) + little(fraction) + little(UInt32(data.count))
        bytes += little(UInt32(wire ?? data.count)) + data
    }

    /// The path of the file, removed by the caller.
    func write() throws -> String {
        let path = NSTemporaryDirectory() + "flinch-capture-\(UUID().uuidString).pcap"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }
}

private func little(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

/// 10.0.0.1 to 10.0.0.2, protocol 99, two bytes of payload.
private let packet: [UInt8] = [
    0x45, 0, 0, 22, 0, 0, 0, 0, 64, 99, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0xAA, 0xBB,
]

@Suite struct CaptureFileTests {
    private func read(_ file: Savefile, _ body: (inout CaptureFile) throws -> Void) throws {
        let path = try file.write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var capture = try CaptureFile(path: path)
        try body(&capture)
    }

    private func step(
        _ capture: inout CaptureFile, finds expected: Bool, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try capture.next()
        #expect(found == expected, sourceLocation: location)
    }

    @Test func readsPacketsWithTimeAndLength() throws {
        var file = Savefile(linkType: 101)
        file.add(packet, seconds: 1_700_000_000, fraction: 123_456_789)
        file.add(Array(packet.prefix(21)), seconds: 4_000_000_000, fraction: 0, wire: 1500)
        try read(file) { capture in
            #expect(capture.linkTypeName == "RAW" && capture.isLinkTypeSupported)
            try step(&capture, finds: true)
            #expect(capture.time == 1_700_000_000_123_456_789)
            #expect(capture.wireLength == 22 && !capture.isCutShort)
            let count = capture.bytes.byteCount
            #expect(count == 22 && capture.link == .ip)
            let decoded = Decoder.decode(capture.bytes, as: capture.link)
            #expect(decoded.source == Address("10.0.0.1") && decoded.payloadLength == 2)

            try step(&capture, finds: true)
            #expect(capture.time == 4_000_000_000_000_000_000)
            #expect(capture.wireLength == 1500 && capture.isCutShort)
            #expect(capture.ending == .notYet)

            try step(&capture, finds: false)
            #expect(capture.ending == .whole && capture.packets == 2 && capture.unsupported == 0)
            let rest = capture.bytes.byteCount
            #expect(rest == 0)
            try step(&capture, finds: false)
        }
    }

    @Test func microsecondsBecomeNanoseconds() throws {
        var file = Savefile(linkType: 101, magic: 0xA1B2_C3D4)
        file.add(packet, seconds: 5, fraction: 42)
        try read(file) { capture in
            try step(&capture, finds: true)
            #expect(capture.time == 5_000_042_000)
        }
    }

    /// What stands before the IP header in each kind of capture.
    @Test(
        arguments: [
            ("RAW", 101, []),
            ("IPV4", 228, []),
            ("RAW of OpenBSD", 12, []),
            ("NULL, this machine", 0, [2, 0, 0, 0]),
            ("NULL, the other order", 0, [0, 0, 0, 2]),
            ("LOOP", 108, [0, 0, 0, 2]),
            ("PPP", 9, [0xFF, 0x03, 0x00, 0x21]),
            ("PPP, address and control left out", 9, [0x00, 0x21]),
            ("PPP, one byte of protocol", 9, [0x21]),
            ("C_HDLC", 104, [0x0F, 0x00, 0x08, 0x00]),
            ("PPP_SERIAL", 50, [0xFF, 0x03, 0x00, 0x21]),
            ("LINUX_SLL", 113, [UInt8](repeating: 0, count: 14) + [0x08, 0x00]),
            ("LINUX_SLL with a tag", 113, [UInt8](repeating: 0, count: 14) + [0x81, 0, 0, 5, 0x08, 0x00]),
            ("LINUX_SLL2", 276, [0x08, 0x00] + [UInt8](repeating: 0, count: 18)),
        ] as [(String, UInt32, [UInt8])])
    func leavesTheLinkHeaderToTheDecoder(_ name: String, _ linkType: UInt32, _ header: [UInt8]) throws {
        var file = Savefile(linkType: linkType)
        file.add(header + packet, wire: header.count + 60)
        try read(file) { capture in
            try step(&capture, finds: true)
            let count = capture.bytes.byteCount
            #expect(count == header.count + packet.count && capture.wireLength == header.count + 60)
            let decoded = Decoder.decode(capture.bytes, as: capture.link, capturedShort: capture.isCutShort)
            #expect(decoded.destination == Address("10.0.0.2") && decoded.payloadLength == 2)
        }
    }

    @Test func ethernetIsLeftToTheDecoder() throws {
        var file = Savefile(linkType: 1)
        file.add([UInt8](repeating: 2, count: 12) + [0x08, 0x00] + packet)
        try read(file) { capture in
            try step(&capture, finds: true)
            #expect(capture.link == .ethernet && capture.wireLength == 36)
            #expect(Decoder.decode(capture.bytes, as: .ethernet).kind == .otherIP)
        }
    }

    @Test func anUnknownLinkTypeIsCounted() throws {
        var file = Savefile(linkType: 105)
        file.add(packet)
        file.add(packet)
        try read(file) { capture in
            #expect(!capture.isLinkTypeSupported && capture.linkTypeName == "IEEE802_11")
            try step(&capture, finds: false)
            #expect(capture.unsupported == 2 && capture.ending == .whole)
        }
    }

    @Test(arguments: [1, 10, 16, 17, 37]) func aFileCutShortIsReadUpToThere(_ missing: Int) throws {
        var file = Savefile(linkType: 101)
        file.add(packet)
        file.add(packet)
        file.bytes.removeLast(missing)
        try read(file) { capture in
            try step(&capture, finds: true)
            try step(&capture, finds: false)
            guard case .truncated(let message) = capture.ending else {
                Issue.record("ending is \(capture.ending)")
                return
            }
            #expect(message.hasPrefix("truncated dump file"))
            #expect(capture.packets == 1)
            try step(&capture, finds: false)
        }
    }

    @Test func aDamagedRecordIsAnError() throws {
        var file = Savefile(linkType: 101)
        file.add(packet)
        file.add(packet)
        file.bytes.replaceSubrange(file.bytes.count - 30..<file.bytes.count - 26, with: little(0x7FFF_FFFF))
        try read(file) { capture in
            try step(&capture, finds: true)
            do {
                _ = try capture.next()
                Issue.record("a record of 2 GiB was read")
            } catch let error as CaptureError {
                #expect(error.path == capture.path)
                #expect(error.message.hasPrefix("after 1 packets: "))
            }
        }
    }

    @Test func openingSaysWhatIsWrong() throws {
        let missing = #expect(throws: CaptureError.self) { _ = try CaptureFile(path: "/nonexistent/a.pcap") }
        #expect(missing?.description == "/nonexistent/a.pcap: No such file or directory")
        var file = Savefile(linkType: 101)
        file.bytes = Array("not a capture, but long enough".utf8)
        let path = try file.write()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let other = #expect(throws: CaptureError.self) { _ = try CaptureFile(path: path) }
        #expect(other?.description == "\(path): unknown file format")
    }

    /// Seconds since 1970 that do not fit: a pcapng file may say anything.
    @Test func absurdTimesSaturate() throws {
        var file = Savefile(linkType: 101)
        // if_tsresol 0: whole seconds.
        let interface: [UInt8] = [101, 0, 0, 0] + little(0) + [9, 0, 1, 0, 0, 0, 0, 0] + little(0)
        let record =
            little(0) + little(0x0FFF_FFFF) + little(0xFFFF_FFFF) + little(22) + little(22) + packet + [0, 0]
        file.bytes = section + block(1, interface) + block(6, record)
        try read(file) { capture in
            try step(&capture, finds: true)
            #expect(capture.time == .max)
        }
    }

    @Test func interfacesOfSeveralLinkTypesAreRefused() throws {
        var file = Savefile(linkType: 101)
        let record = little(0) + little(0) + little(0) + little(22) + little(22) + packet + [0, 0]
        file.bytes =
            section + block(1, [101, 0, 0, 0] + little(0)) + block(6, record)
            + block(1, [1, 0, 0, 0] + little(0)) + block(6, little(1) + record.dropFirst(4))
        try read(file) { capture in
            try step(&capture, finds: true)
            do {
                _ = try capture.next()
                Issue.record("two link types were read")
            } catch let error as CaptureError {
                #expect(error.message.contains("different from the type of the first interface"))
            }
        }
    }

    private let section = block(
        0x0A0D_0D0A, little(0x1A2B_3C4D) + [1, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8))
}

/// A pcapng block.
private func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
    let length = little(UInt32(12 + body.count))
    return little(type) + length + body + length
}

// MARK: - Captures that others made

private enum Shared {
    static let captures: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["FLINCH_SHARED"] ?? root.path + "/../shared"
        return shared + "/captures"
    }()

    static var isThere: Bool { FileManager.default.fileExists(atPath: captures) }

    static func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(captures)/\(folder)")
            .filter { $0.contains("cap") }.sorted()
    }
}

/// What the decoder makes of one file.
private struct Census {
    var kinds: [PacketKind: Int] = [:]
    var wrongChecksums = 0
    var unsupported = 0
    var total: Int { kinds.values.reduce(0, +) }

    init(_ path: String) throws {
        var capture = try CaptureFile(path: path)
        while try capture.next() {
            let packet = Decoder.decode(capture.bytes, as: capture.link, capturedShort: capture.isCutShort)
            let end = Int(packet.payloadOffset) + Int(packet.payloadLength)
            if packet.payloadLength < 0 || end > capture.bytes.byteCount {
                Issue.record("\(path), packet \(capture.packets): payload beyond the packet")
            }
            kinds[packet.kind, default: 0] += 1
            if packet.hasValidTransportChecksum(in: capture.bytes) == false { wrongChecksums += 1 }
        }
        unsupported = Int(capture.unsupported)
    }
}

@Suite(.enabled(if: Shared.isThere)) struct SharedCaptureTests {
    /// Ordinary traffic. Only what was made by a fuzzer may be malformed: EtherType IPv4 before other
    /// versions, header and data offset lengths below 20 bytes, ARP address lengths.
    @Test func ordinaryTrafficIsWellFormed() throws {
        let fuzzed = ["fuzz-2006-06-26-2594", "fuzz-2020-02-16-11740", "kerberos_fuzz"]
        var total = 0
        for file in try Shared.files("protocols") {
            let census = try Census("\(Shared.captures)/protocols/\(file)")
            total += census.total
            #expect(census.unsupported == 0, "\(file)")
            if !fuzzed.contains(where: { file.contains($0) }) {
                #expect(census.kinds[.malformed] == nil, "\(file)")
            }
        }
        #expect(total > 70_000)
    }

    @Test(arguments: ["exploits", "floods", "scans", "evasion"]) func attacksAreDecoded(_ folder: String)
        throws
    {
        for file in try Shared.files(folder) {
            let census = try Census("\(Shared.captures)/\(folder)/\(file)")
            #expect(census.total > 0 && census.kinds[.malformed] == nil, "\(file)")
        }
    }

    @Test func aSpoofedSYNFloodIsAllTCP() throws {
        let census = try Census("\(Shared.captures)/floods/stopddos__pkt.TCP.synflood.spoofed.pcap")
        #expect(census.kinds == [.tcp: 37_841])
        #expect(census.wrongChecksums == 0)
    }

    /// Whatever is in them: no trap, no read past the bytes, and files that are none are refused by name.
    @Test func hostileCapturesAreRead() throws {
        var refused: [String] = []
        for file in try Shared.files("malformed") {
            do {
                _ = try Census("\(Shared.captures)/malformed/\(file)")
            } catch let error as CaptureError {
                #expect(error.description.contains(file))
                refused.append(file)
            }
        }
        #expect(
            refused == [
                "libpcap-tests__tests__pcap-invalid-version-1.pcap",
                "libpcap-tests__tests__pcap-invalid-version-2.pcap",
                "libpcap-tests__tests__shb-option-too-long.pcapng",
            ])
    }
}
