import Testing
import Wire

/// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled"): the same
/// numbers in every run.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// Nothing that is received may make the decoder read past it: `decode` puts the bytes before a wall.
@Suite struct RobustnessTests {
    static let small =
        Tables.all.filter { $0.bytes.count < 2000 }
        + EventCase.all.map { DecodeCase($0.name, $0.bytes, as: $0.link, .malformed) }
        + (TunnelTests.carried.map { ($0.0, .ip, $0.1) } + TunnelTests.others.map { ($0.0, .ip, $0.1) }
        + TunnelTests.carriers)
        .map { (name: String, link: LinkLayer, bytes: [UInt8]) in DecodeCase(name, bytes, as: link, .malformed) }

    @Test func everyBeginningOfEveryCase() {
        var memory = GuardedBytes(capacity: 2000)
        for row in Self.small {
            for count in 0..<row.bytes.count {
                let beginning = row.bytes.prefix(count)
                _ = decode(beginning, as: row.link, in: &memory)
                let cut = decode(beginning, as: row.link, cut: true, in: &memory)
                // Shortened by the capture, a packet may not look worse than it was.
                if row.kind != .malformed, cut.kind == .malformed {
                    Issue.record("\(row.name), \(count) bytes of it")
                }
            }
        }
    }

    @Test func everyByteOfEveryCaseChanged() {
        var random = Seeded(state: 0x5EED)
        var memory = GuardedBytes(capacity: 2000)
        for row in Self.small {
            for index in row.bytes.indices {
                var bytes = row.bytes
                bytes[index] = UInt8.random(in: 0...255, using: &random)
                _ = decode(bytes, as: row.link, in: &memory)
            }
        }
    }

    @Test func randomBytes() {
        var random = Seeded(state: 0xF11C)
        var memory = GuardedBytes(capacity: 120)
        for round in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Most noise is refused at its first byte: let some of it get further.
            if round % 4 != 0, let first = bytes.first { bytes[0] = first % 2 == 0 ? 0x45 : 0x60 }
            let link = round % 8 == 7 ? LinkLayer.ethernet : .ip
            let packet = decode(bytes, as: link, cut: round % 3 == 0, in: &memory)
            _ = packet.hasValidTransportChecksum(in: memory.span)
        }
    }
}
