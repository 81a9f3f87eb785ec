import Evidence
import Foundation
import Intake
import Wire

/// Packets of captures that nobody here made, in memory.
struct CapturedTraffic {
    private(set) var bytes: [UInt8] = []
    private(set) var packets: [Packet] = []

    struct Packet {
        /// In `bytes`.
        var range: Range<Int>
        /// What the bytes start with, and the capture's time in nanoseconds.
        var link: LinkLayer
        var time: UInt64
        /// What follows the upper header, in `bytes`; empty for a packet without.
        var payload: Range<Int>
    }

    /// All captures of a folder, in the order of their names, up to so many bytes. What cannot be read to its
    /// end gives what it gave: some were cut short where they were made.
    init(folder: String, limit: Int = 64 << 20) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        for name in names where bytes.count < limit {
            guard var capture = try? CaptureFile(path: "\(folder)/\(name)") else { continue }
            while (try? capture.next()) == true, bytes.count < limit {
                append(capture.bytes, capture.link, capture.time)
            }
        }
        guard !packets.isEmpty else { throw WrongAnswer("no capture in \(folder)") }
    }

    private mutating func append(_ span: RawSpan, _ link: LinkLayer, _ time: UInt64) {
        let decoded = Decoder.decode(span, as: link)
        let start = bytes.count
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        let range = start..<bytes.count
        let first = start + Int(max(0, decoded.payloadOffset))
        let payload = (first..<first + Int(max(0, decoded.payloadLength))).clamped(to: range)
        packets.append(Packet(range: range, link: link, time: time, payload: payload))
    }

    /// Of whole packets, as a wire would carry them.
    var bits: Double { Double(bytes.count) * 8 }
}
