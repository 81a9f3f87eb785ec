import Conformance
import Testing
import Wire

/// Bytes that nobody would send by mistake. A debug build traps on what is read or counted beyond them.
@Suite struct HostileTests {
    /// Every sample of the table, cut at each length and with bytes changed, as every link and application.
    @Test(arguments: CheckTests.cases) func changedSamplesAreLookedAt(_ row: CheckCase) {
        var generator = Generator(state: UInt64(row.check.rawValue) &+ 1)
        for sample in [row.fails, row.passes] {
            let bytes = Array(sample.bytes.prefix(400))
            for length in stride(from: 0, through: bytes.count, by: 1) {
                look(Array(bytes.prefix(length)), sample)
            }
            for _ in 0..<200 where !bytes.isEmpty {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let place = Int.random(in: 0..<changed.count, using: &generator)
                    let edges: [UInt8] = [0, 1, 0x3F, 0x7F, 0x80, 0xC0, 0xFF]
                    changed[place] =
                        Bool.random(using: &generator)
                        ? edges.randomElement(using: &generator)! : UInt8.random(in: 0...255, using: &generator)
                }
                look(changed, sample)
            }
        }
    }

    private func look(_ bytes: [UInt8], _ sample: Sample) {
        var sample = sample
        sample.bytes = bytes
        _ = sample.failures()
        sample.isCut = true
        _ = sample.failures()
        sample.isCut = false
        for application in [ApplicationForm.dns, .netbios, .smb, .http, .tls] {
            sample.application = application
            _ = sample.failures()
        }
    }

    /// What a message costs is bounded: of one made of a thousand labels only the first few hundred are looked at.
    @Test(arguments: [(1, true), (12, false)]) func onlySoManyLabelsAreLookedAt(_ row: (bad: Int, isFound: Bool)) {
        let long: [UInt8] = Array(repeating: [1, 0x61], count: 127).flatMap { $0 } + [0, 0, 1, 0, 1]
        let bad: [UInt8] = [0x80] + long.dropFirst()
        let message = dns(counts: [16, 0, 0, 0], (0..<16).flatMap { $0 == row.bad ? bad : long })
        let failures = Sample.stream(.dns, big16(message.count) + message).failures()
        #expect(failures == (row.isFound ? [.dnsQuestionCount, .dnsLabel] : [.dnsQuestionCount]))
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }
}
