import Testing

@testable import Intake

/// Verdicts noted for consecutive packets, and the messages that go to the kernel.
struct BatchCase: Sendable, CustomTestStringConvertible {
    struct Message: Equatable, Sendable {
        /// NFQNL_MSG_VERDICT 1, NFQNL_MSG_VERDICT_BATCH 3.
        var type: UInt8
        var accept: Bool
        var identifier: UInt32
    }

    let testDescription: String
    let verdicts: [(identifier: UInt32, accept: Bool)]
    let messages: [Message]

    init(_ name: String, first: UInt32 = 1, _ accepts: [Bool], _ messages: [Message]) {
        testDescription = name
        verdicts = accepts.enumerated().map { (first &+ UInt32($0), $1) }
        self.messages = messages
    }
}

private func one(_ accept: Bool, _ identifier: UInt32) -> BatchCase.Message {
    BatchCase.Message(type: 1, accept: accept, identifier: identifier)
}

private func all(_ accept: Bool, upTo identifier: UInt32) -> BatchCase.Message {
    BatchCase.Message(type: 3, accept: accept, identifier: identifier)
}

private let cases: [BatchCase] = [
    BatchCase("no packet", [], []),
    BatchCase("one accepted", [true], [all(true, upTo: 1)]),
    BatchCase("one dropped", [false], [all(false, upTo: 1)]),
    BatchCase("all accepted", Array(repeating: true, count: 64), [all(true, upTo: 64)]),
    BatchCase("all dropped", Array(repeating: false, count: 64), [all(false, upTo: 64)]),
    BatchCase(
        "two dropped of five", [true, false, true, true, false],
        [one(false, 2), one(false, 5), all(true, upTo: 5)]),
    BatchCase(
        "two accepted of five", [false, true, false, false, true],
        [one(true, 2), one(true, 5), all(false, upTo: 5)]),
    BatchCase("as many of each: the drops go singly", [false, true], [one(false, 1), all(true, upTo: 2)]),
    BatchCase(
        "64 in turns", (0..<64).map { $0 % 2 == 0 },
        (1...32).map { one(false, UInt32($0 * 2)) } + [all(true, upTo: 64)]),
    BatchCase(
        "identifiers wrap", first: 0xFFFF_FFFE, [true, false, true, true],
        [one(false, 0xFFFF_FFFF), all(true, upTo: 1)]),
]

@Suite struct VerdictBatchTests {
    private func encode(_ row: BatchCase, into batch: inout VerdictBatch, queue: UInt16) -> [UInt8] {
        for (identifier, accept) in row.verdicts { batch.append(identifier, accept: accept) }
        return unsafe Array(batch.encode(queue: queue))
    }

    /// The bytes that linux/netfilter/nfnetlink_queue.h asks for, written out.
    private func bytes(_ messages: [BatchCase.Message], queue: Int) -> [UInt8] {
        messages.flatMap { message in
            var bytes = host32(32) + [message.type, 3] + host16(1)
            bytes += host32(0) + host32(0) + [0, 0] + big16(queue)
            bytes += host16(12) + host16(2) + big32(message.accept ? 1 : 0)
            return bytes + big32(Int(message.identifier))
        }
    }

    @Test(arguments: cases)
    func encodes(_ row: BatchCase) {
        var batch = VerdictBatch()
        #expect(encode(row, into: &batch, queue: 0x0102) == bytes(row.messages, queue: 0x0102))
    }

    @Test func isEmptyAfterwards() {
        var batch = VerdictBatch()
        for row in cases {
            #expect(encode(row, into: &batch, queue: 3) == bytes(row.messages, queue: 3), "\(row.testDescription)")
        }
        let rest = unsafe batch.encode(queue: 3).count
        #expect(rest == 0)
    }
}
