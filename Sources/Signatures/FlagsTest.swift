/// The keyword `flags`: which of a TCP segment's flags must be set, as Suricata reads it.
///
/// `S` these and no others, `+SA` these and any others, `*SF` at least one of these, `!S` not all of
/// these, `0` none at all; after a comma the flags that do not count: `S,12` or `S,CE`.
struct FlagsTest: Sendable, Hashable, BitwiseCopyable {
    enum Mode: UInt8, BitwiseCopyable, Sendable { case exactly, all, any, notAll }

    var mode = Mode.exactly
    var flags: UInt8 = 0
    /// Flags that count.
    var mask: UInt8 = 0xFF

    @inline(__always)
    func matches(_ segment: UInt8) -> Bool {
        // `0` says what it means of every flag, counted or not.
        if flags == 0, segment != 0 { return mode == .notAll }
        let counted = segment & mask
        switch mode {
        case .exactly: return counted == flags
        case .all: return counted & flags == flags
        case .any: return counted & flags != 0
        case .notAll: return counted & flags != flags
        }
    }

    init(_ text: RuleText) throws(Rejection) {
        func refuse(_ why: String) -> Rejection { Rejection("flags:\(text.string): \(why)") }
        let halves = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map(\.trimmed)
        guard halves.count <= 2, let first = halves.first else { throw refuse("more than one comma") }
        var named = false
        var mode: Mode? = nil
        for letter in first where !letter.isBlank {
            let modifier: Mode
            switch letter {
            case UInt8(ascii: "0"):
                flags = 0
                named = true
                continue
            case UInt8(ascii: "+"): modifier = .all
            case UInt8(ascii: "*"): modifier = .any
            case UInt8(ascii: "!"): modifier = .notAll
            default:
                guard let bit = FlagsTest.bit(letter) else {
                    throw refuse("expected letters of FSRPAUCE120 and one of + * !")
                }
                flags |= bit
                named = true
                continue
            }
            guard mode == nil else { throw refuse("only one of + * ! may be given") }
            mode = modifier
        }
        guard named else { throw refuse("no flag is named") }
        self.mode = mode ?? .exactly
        guard halves.count == 2 else { return }
        guard !halves[1].isEmpty else { throw refuse("no flag follows the comma") }
        for letter in halves[1] {
            guard let bit = FlagsTest.bit(letter) else {
                throw refuse("expected letters of FSRPAUCE12 after the comma")
            }
            mask &= ~bit
        }
    }

    private static func bit(_ letter: UInt8) -> UInt8? {
        switch letter.lowercased {
        case UInt8(ascii: "f"): 0x01
        case UInt8(ascii: "s"): 0x02
        case UInt8(ascii: "r"): 0x04
        case UInt8(ascii: "p"): 0x08
        case UInt8(ascii: "a"): 0x10
        case UInt8(ascii: "u"): 0x20
        case UInt8(ascii: "2"), UInt8(ascii: "e"): 0x40
        case UInt8(ascii: "1"), UInt8(ascii: "c"): 0x80
        default: nil
        }
    }
}
