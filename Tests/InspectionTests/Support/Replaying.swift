import Configuration
import Events
import Evidence
import Floods
import Foundation
import Inspection
import Intake
import Sensor
import Topology
import Wire

/// Where the captures are that are not part of the repository.
enum Files {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        .standardized
        .path
    static let starterRules = root + "/Sources/Signatures/Rules/starter.rules"

    /// The folder given by FLINCH_SHARED, else the one beside the repository; nil if there is none.
    static let shared: String? = [
        ProcessInfo.processInfo.environment["FLINCH_SHARED"], root + "/../shared",
    ].compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/captures") }

    /// The captures in a folder of the shared ones, in alphabetical order.
    static func captures(_ folder: String) -> [String] {
        guard let shared else { return [] }
        let path = shared + "/captures/" + folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.contains(".pcap") }.sorted().map { path + "/" + $0 }
    }
}

/// A capture of IP packets that a test writes: pcap, little-endian, nanoseconds, link type RAW.
struct Capture {
    private var bytes: [UInt8]
    /// Nanoseconds since the epoch of the next packet.
    var time: UInt64 = 1_700_000_000_000_000_000

    init() {
        bytes = Capture.little(0xA1B2_3C4D) + [2, 0, 4, 0] + Capture.little(0) + Capture.little(0)
        bytes += Capture.little(65_535) + Capture.little(101)
    }

    mutating func add(_ packet: [UInt8]) {
        bytes += Capture.little(Int(time / 1_000_000_000)) + Capture.little(Int(time % 1_000_000_000))
        bytes += Capture.little(packet.count) + Capture.little(packet.count) + packet
    }

    /// `count` packets at an even rate.
    mutating func add(_ packet: [UInt8], count: Int, aSecond rate: UInt64) {
        for _ in 0..<count {
            add(packet)
            time += 1_000_000_000 / rate
        }
    }

    /// Writes the file for as long as the body runs.
    func written<T>(_ body: (String) throws -> T) throws -> T {
        let path = NSTemporaryDirectory() + "flinch-inspection-\(UUID().uuidString).pcap"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private static func little(_ number: Int) -> [UInt8] { big32(number).reversed() }
}

/// What a replay of some captures came to.
struct Replayed {
    var eve: [UInt8] = []
    var packets: UInt64 = 0
    /// By path: how the reading ended; nil where the file could not be read on.
    var endings: [String: CaptureEnding?] = [:]

    /// The lines, each an object.
    func events() throws -> [[String: Any]] {
        try eve.split(separator: 10).map {
            try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any] ?? [:]
        }
    }
}

/// What `flinch replay` does, with one guest of these addresses.
func replay(
    _ paths: [String], home: [String], floods: FloodLimits = FloodLimits(), mode: InspectionMode = .live,
    _ change: (inout Settings) -> Void = { _ in }
) throws -> Replayed {
    var settings = Settings()
    settings.guests = [
        Settings.ProtectedGuest(
            guest: Guest(name: "home", addresses: home.compactMap { Prefix($0) }), floods: floods)
    ]
    change(&settings)
    let program = try Program(settings, workers: 1, hostSeed: Replay.hostSeed, mode: mode)
    var encoder = EVEEncoder(names: program.names)
    var replay = try Replay(program)
    var result = Replayed()
    for path in paths {
        do {
            result.endings[path] = try replay.run(path, into: &encoder) {
                result.eve += $0.bytes
                $0.removeAll()
            }
        } catch is CaptureError {
            result.endings[path] = .some(nil)
        }
    }
    replay.finish(into: &encoder)
    result.eve += encoder.bytes
    result.packets = replay.packets
    return result
}
