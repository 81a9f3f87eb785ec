import Testing
import Wire

/// How somebody may try to bring a pattern past us in a connection. The segments are made from what is to arrive,
/// cut in two at a place.
struct Evasion: Sendable, CustomTestStringConvertible {
    var name: String
    /// Whether the guest reads the pattern if nobody stands in the way.
    var reaches = true
    /// What the SYN carries.
    var early: [UInt8] = []
    var clientStart: UInt32 = 5_000
    var reader = TCPGuest.Reader.prompt
    var segments: @Sendable (_ text: [UInt8], _ cut: Int) -> [TestSegment]

    var testDescription: String { name }
}

extension Evasion {
    private static func junk(_ count: Int) -> [UInt8] { Array(repeating: UInt8(ascii: "#"), count: count) }

    /// Both parts, and between them what `between` says, given where the second begins and its length.
    private static func cut(
        _ between: @escaping @Sendable (_ cut: Int, _ rest: Int) -> [TestSegment]
    ) -> @Sendable ([UInt8], Int) -> [TestSegment] {
        { text, cut in
            [TestSegment(place: 0, text: Array(text[..<cut]))] + between(cut, text.count - cut)
                + [TestSegment(place: cut, text: Array(text[cut...]))]
        }
    }

    static let all = plain + urgent

    static let plain: [Evasion] = [
        Evasion(name: "in one segment") { text, _ in [TestSegment(place: 0, text: text)] },
        Evasion(name: "in two", segments: cut { _, _ in [] }),
        Evasion(name: "reversed") { text, cut in
            [
                TestSegment(place: cut, text: Array(text[cut...])),
                TestSegment(place: 0, text: Array(text[..<cut])),
            ]
        },
        Evasion(name: "byte by byte") { text, _ in text.indices.map { TestSegment(place: $0, text: [text[$0]]) } },
        Evasion(name: "byte by byte, the last first") { text, _ in
            text.indices.reversed().map { TestSegment(place: $0, text: [text[$0]]) }
        },
        Evasion(name: "every other byte first") { text, _ in
            let order = text.indices.filter { $0 % 2 == 1 } + text.indices.filter { $0 % 2 == 0 }
            return order.map { TestSegment(place: $0, text: [text[$0]]) }
        },
        Evasion(name: "each part twice") { text, cut in
            let parts = [
                TestSegment(place: 0, text: Array(text[..<cut])), TestSegment(place: cut, text: Array(text[cut...])),
            ]
            return [parts[0], parts[0], parts[1], parts[1]]
        },
        Evasion(name: "the first part again with the second") { text, cut in
            [TestSegment(place: 0, text: Array(text[..<cut])), TestSegment(place: 0, text: text)]
        },
        Evasion(name: "overlapping by a byte, the last first") { text, cut in
            [
                TestSegment(place: cut - 1, text: Array(text[(cut - 1)...])),
                TestSegment(place: 0, text: Array(text[..<cut])),
            ]
        },
        // Other bytes at the same place, which the guest has then.
        Evasion(name: "other bytes first", reaches: false, segments: cut { [TestSegment(place: $0, text: junk($1))] }),
        Evasion(name: "other bytes first, behind a gap", reaches: false) { text, cut in
            [
                TestSegment(place: cut, text: junk(text.count - cut)),
                TestSegment(place: cut, text: Array(text[cut...])), TestSegment(place: 0, text: Array(text[..<cut])),
            ]
        },
        Evasion(name: "other bytes later") { text, cut in
            [
                TestSegment(place: cut, text: Array(text[cut...])),
                TestSegment(place: cut, text: junk(text.count - cut)), TestSegment(place: 0, text: Array(text[..<cut])),
            ]
        },
        Evasion(name: "other bytes before what is there and more", reaches: false) { text, cut in
            [
                TestSegment(place: cut, text: Array(text[cut...])),
                TestSegment(place: 0, text: junk(cut) + text[cut...]),
                TestSegment(place: 0, text: Array(text[..<cut])),
            ]
        },
        // Decoys that the guest does not take.
        Evasion(
            name: "a decoy with a bad checksum",
            segments: cut {
                [TestSegment(place: $0, text: junk($1), isDamaged: true)]
            }),
        Evasion(
            name: "a decoy with an old timestamp",
            segments: cut {
                [TestSegment(place: $0, text: junk($1), ticks: -900_000)]
            }),
        Evasion(
            name: "a decoy that acknowledges what was never sent",
            segments: cut {
                [TestSegment(place: $0, text: junk($1), acknowledges: 1_000_000)]
            }),
        Evasion(
            name: "a decoy without ACK",
            segments: cut {
                [TestSegment(place: $0, text: junk($1), flags: .psh)]
            }),
        Evasion(
            name: "a decoy that reaches beyond the window",
            segments: cut { cut, _ in
                [TestSegment(place: cut, text: junk(Talk.window + 1))]
            }),
        Evasion(
            name: "a decoy one hop from its end", reaches: false,
            segments: cut {
                [TestSegment(place: $0, text: junk($1), hopLimit: 1)]
            }),
        // Ends that are none.
        Evasion(
            name: "a reset with another number",
            segments: cut { cut, _ in
                [TestSegment(place: cut + 900_000, flags: .rst)]
            }),
        Evasion(
            name: "a reset inside the window",
            segments: cut { cut, _ in
                [TestSegment(place: cut + 7, flags: [.rst, .ack])]
            }),
        Evasion(
            name: "a reset before what was acknowledged",
            segments: cut { cut, _ in
                [TestSegment(place: cut - 1, flags: .rst)]
            }),
        Evasion(
            name: "a reset with a bad checksum",
            segments: cut { cut, _ in
                [TestSegment(place: cut, flags: .rst, isDamaged: true)]
            }),
        Evasion(
            name: "a reset and a SYN",
            segments: cut { cut, _ in
                [
                    TestSegment(place: cut + 7, flags: .rst),
                    TestSegment(place: cut - 1, flags: .syn),
                ]
            }),
        Evasion(name: "a SYN", segments: cut { cut, _ in [TestSegment(place: cut + 100, flags: .syn)] }),
        Evasion(
            name: "a FIN ahead",
            segments: cut { cut, rest in
                [TestSegment(place: cut + rest + 500, flags: [.fin, .ack])]
            }),
        // What ordinary connections do.
        Evasion(name: "a keep-alive probe", segments: cut { cut, _ in [TestSegment(place: cut - 1, text: [0])] }),
        Evasion(
            name: "an empty keep-alive probe", segments: cut { cut, _ in [TestSegment(place: cut - 1, flags: .ack)] }),
        Evasion(name: "empty segments", segments: cut { cut, _ in [TestSegment(place: cut, flags: .ack)] }),
        Evasion(name: "numbers that go round", clientStart: 0xFFFF_FFFA, segments: cut { _, _ in [] }),
        Evasion(name: "numbers that go round, reversed", clientStart: 0xFFFF_FFFA) { text, cut in
            [
                TestSegment(place: cut, text: Array(text[cut...])), TestSegment(place: 0, text: Array(text[..<cut])),
            ]
        },
        Evasion(name: "other bytes in the SYN", early: junk(6), segments: cut { _, _ in [] }),
        Evasion(
            name: "far more than is kept, in between",
            segments: { text, cut in
                // The pattern's first half, and the second where the first no longer is: none, so that what is found
                // is found at the end.
                let filler = (0..<20).map { TestSegment(place: $0 * 1_000, text: junk(1_000)) }
                return filler + [
                    TestSegment(place: 20_000, text: Array(text[..<cut])),
                    TestSegment(place: 20_000 + cut, text: Array(text[cut...])),
                ]
            }),
    ]
}
