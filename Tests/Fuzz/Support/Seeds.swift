import Foundation
import Intake
import Wire

/// Writes the packets of a capture as seeds, named after their contents. Of one capture no more than there are
/// in a small one: the rest is likely to be alike.
func writeSeeds(of path: String, to folder: String) throws {
    var capture = try CaptureFile(path: path)
    while capture.packets < 200, try capture.next() {
        let bytes = capture.bytes.withUnsafeBytes { Array($0) }
        guard bytes.count <= 2000 else { continue }
        let control = capture.link.rawValue | (capture.isCutShort ? 0x80 : 0)
        try write([control] + bytes, "\(folder)/inspection")
        let payload = capture.link == .ethernet ? Array(bytes.dropFirst(14)) : bytes
        try write([0] + message(payload), "\(folder)/queue")
    }
}

private func write(_ bytes: [UInt8], _ folder: String) throws {
    // FNV-1a: the same packet in many captures is one seed.
    let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(String(hash, radix: 16))"))
}

/// The message by which the kernel would hand up this packet (linux/netfilter/nfnetlink_queue.h).
private func message(_ payload: [UInt8]) -> [UInt8] {
    let isV6 = payload.first.map { $0 >> 4 == 6 } ?? false
    var body: [UInt8] = [7, 0, 0, 0]
    body += attribute(1, [0, 0, 0, 1] + (isV6 ? [0x86, 0xDD] : [8, 0]) + [2])
    for type in [3, 5, 7, 8, 14] as [UInt8] { body += attribute(type, [0, 0, 0, 3]) }
    body += attribute(9, [0, 6, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0])
    body += attribute(19, attribute(1, [0x81, 0]) + attribute(2, [0, 5]))
    body += attribute(20, [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0])
    body += attribute(10, payload)
    return host(UInt32(16 + body.count)) + [0, 3, 0, 0] + host(0) + host(0) + body
}

private func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    let length = value.count + 4
    return [UInt8(truncatingIfNeeded: length), UInt8(length >> 8), type, 0] + value
        + Array(repeating: 0, count: (4 - value.count % 4) % 4)
}

private func host(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
