import Wire

/// Evasions by bytes that are called urgent: whether the application reads them where they stand is up to it.
extension Evasion {
    /// A byte that belongs to the text only where the guest leaves it out.
    private static let other = UInt8(ascii: "u")

    /// `text` with another byte at each of `places`.
    private static func stuffed(_ text: [UInt8], _ places: Int...) -> [UInt8] {
        var bytes = text
        for place in places.sorted(by: >) { bytes.insert(other, at: place) }
        return bytes
    }

    private static func segment(_ bytes: [UInt8], _ range: Range<Int>, urgent: Int? = nil) -> TestSegment {
        var segment = TestSegment(place: range.lowerBound, text: Array(bytes[range]))
        if let urgent {
            segment.flags.insert(.urg)
            segment.urgent = urgent
        }
        return segment
    }

    /// Each of `ranges` a segment, all of them up to the last byte of the text.
    private static func cut(_ bytes: [UInt8], _ places: Int...) -> [Range<Int>] {
        zip([0] + places, places + [bytes.count]).map { $0..<$1 }
    }

    static let urgent: [Evasion] = [
        Evasion(name: "an urgent byte in between, inside a segment") { text, cut in
            let bytes = stuffed(text, cut)
            return [segment(bytes, bytes.indices, urgent: cut + 1)]
        },
        Evasion(name: "an urgent byte in between, by itself") { text, at in
            let bytes = stuffed(text, at)
            let parts = cut(bytes, at, at + 1)
            return [segment(bytes, parts[0]), segment(bytes, parts[1], urgent: 1), segment(bytes, parts[2])]
        },
        Evasion(name: "an urgent byte in between, with a pointer of 0") { text, at in
            let bytes = stuffed(text, at)
            let parts = cut(bytes, at)
            return [segment(bytes, parts[0]), segment(bytes, parts[1], urgent: 0)]
        },
        Evasion(name: "an urgent byte at the end of a segment") { text, at in
            let bytes = stuffed(text, at)
            let parts = cut(bytes, at + 1)
            return [segment(bytes, parts[0], urgent: at + 1), segment(bytes, parts[1])]
        },
        Evasion(name: "an urgent byte in between, byte by byte") { text, at in
            let bytes = stuffed(text, at)
            return bytes.indices.map { segment(bytes, $0..<$0 + 1, urgent: $0 <= at ? at + 1 - $0 : nil) }
        },
        Evasion(name: "an urgent byte announced by an empty segment") { text, at in
            let bytes = stuffed(text, at)
            var announcement = TestSegment(place: 0, flags: [.ack, .urg])
            announcement.urgent = at + 1
            return [announcement] + cut(bytes, at, at + 1).map { segment(bytes, $0) }
        },
        Evasion(name: "an urgent byte, the last segment first") { text, at in
            let bytes = stuffed(text, at)
            let parts = cut(bytes, at, at + 1)
            return [segment(bytes, parts[2]), segment(bytes, parts[1], urgent: 1), segment(bytes, parts[0])]
        },
        Evasion(name: "an urgent byte announced when it comes again, and was lost") { text, at in
            let bytes = stuffed(text, at)
            let parts = cut(bytes, at, at + 1)
            var first = segment(bytes, parts[1])
            first.isLost = true
            return [
                segment(bytes, parts[0]), first, segment(bytes, parts[2]), segment(bytes, parts[1], urgent: 1),
                segment(bytes, parts[2]),
            ]
        },
        Evasion(name: "two urgent bytes, each read past at once") { text, at in
            let bytes = stuffed(text, at - 1, at)
            let parts = cut(bytes, at, at + 2)
            return [
                segment(bytes, parts[0], urgent: at), segment(bytes, parts[1], urgent: 2), segment(bytes, parts[2]),
            ]
        },
        Evasion(name: "two urgent bytes, of which the first is put back", reader: .late) { text, at in
            // The pattern's own byte is the first of them.
            let bytes = stuffed(text, at + 1)
            let parts = cut(bytes, at + 1, at + 2)
            return [
                segment(bytes, parts[0], urgent: at + 1), segment(bytes, parts[1], urgent: 1),
                segment(bytes, parts[2]),
            ]
        },
        Evasion(name: "four urgent bytes, of which the last is left out", reader: .late) { text, at in
            let bytes = stuffed(text, at)
            return bytes.indices.map { place in
                segment(bytes, place..<place + 1, urgent: (at - 3...at).contains(place) ? 1 : nil)
            }
        },
        Evasion(name: "the pattern's own byte is urgent, and read in its place", reader: .inline) { text, at in
            let parts = cut(text, at)
            return [segment(text, parts[0]), segment(text, parts[1], urgent: 1)]
        },
        Evasion(name: "an urgent byte that is not read in its place either way", reaches: false) { text, at in
            let parts = cut(text, at)
            return [segment(text, parts[0]), segment(text, parts[1], urgent: 1)]
        },
        Evasion(name: "an urgent byte and its decoy", reader: .late) { text, at in
            let bytes = stuffed(text, at)
            let parts = cut(bytes, at + 1)
            var decoy = segment(bytes, 0..<1, urgent: 3)
            decoy.isDamaged = true
            return [decoy, segment(bytes, parts[0], urgent: at + 1), segment(bytes, parts[1])]
        },
        Evasion(name: "more urgent bytes than are told apart", reader: .late) { text, at in
            let bytes = stuffed(text, at)
            // The first byte is not urgent, or each would be passed over when the next is announced.
            return bytes.indices.map { segment(bytes, $0..<$0 + 1, urgent: (1...at).contains($0) ? 1 : nil) }
        },
    ]
}
