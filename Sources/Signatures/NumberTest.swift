/// A test of one number, as dsize, itype and icode write it: `n`, `!n`, `<n`, `<=n`, `>n`, `>=n`, and the
/// range `a<>b`, which excludes both its ends (so Suricata; `a<=>b`, Snort 3's, includes them); and `&m=n`, `&m!=n`,
/// where only the bits of `m` count (Suricata's integer keywords).
struct NumberTest: Sendable, Hashable, BitwiseCopyable {
    var low: Int64
    var high: Int64
    /// The number must lie outside of `low…high`.
    var inverted: Bool
    /// The bits that count, where not all do.
    var mask: UInt32?

    /// `maximum`: the largest that the number can be. A test that never holds is refused, and so are `>=0` and `<=` the
    /// largest number of 8, 16 or 32 bits, unless `mayBeAll` (Suricata's rust/src/detect/uint.rs): where a packet need
    /// not have the number, `<=4095` asks whether it has.
    init(_ text: RuleText, keyword: String, maximum: Int, mayBeAll: Bool = false) throws(Rejection) {
        func refuse(_ why: String) -> Rejection { Rejection("\(keyword):\(text.string): \(why)") }
        func value(_ part: RuleText) throws(Rejection) -> Int {
            guard let number = part.trimmed.measured, (0...maximum).contains(number) else {
                throw refuse("expected a number of 0…\(maximum)")
            }
            return number
        }
        var rest = text.trimmed
        if rest.first == UInt8(ascii: "&") {
            guard let (left, right) = rest.dropFirst().cut(at: "!=") ?? rest.dropFirst().cut(at: "=") else {
                throw refuse("a bitmask needs = or != and a number")
            }
            inverted = rest.dropFirst().cut(at: "!=") != nil
            let (bits, number) = (try value(left), try value(right))
            guard number & ~bits == 0 else { throw refuse("the number has bits that are not in the mask") }
            mask = UInt32(truncatingIfNeeded: bits)
            low = Int64(number)
            high = Int64(number)
            return
        }
        inverted = rest.first == UInt8(ascii: "!")
        if inverted { rest = rest.dropFirst().trimmed }
        if inverted, rest.first == UInt8(ascii: "=") { rest = rest.dropFirst().trimmed }
        var bounds: (Int, Int)
        if let (left, right) = rest.cut(at: "<=>") {
            bounds = (try value(left), try value(right))
        } else if let (left, right) = rest.cut(at: "<>") ?? rest.cut(at: "-") {
            bounds = (try value(left) + 1, try value(right) - 1)
        } else if let right = rest.after("<=") {
            bounds = (0, try value(right))
        } else if let right = rest.after(">=") {
            bounds = (try value(right), maximum)
        } else if let right = rest.after("<") {
            bounds = (0, try value(right) - 1)
        } else if let right = rest.after(">") {
            bounds = (try value(right) + 1, maximum)
        } else {
            let number = try value(rest.after("=") ?? rest)
            bounds = (number, number)
        }
        guard bounds.0 <= bounds.1 else { throw refuse("no number lies between") }
        low = Int64(bounds.0)
        high = Int64(bounds.1)
        guard !(inverted && bounds == (0, maximum)) else { throw refuse("every number is excluded") }
        let isOfWholeBytes = [255, 65_535, Int(UInt32.max)].contains(maximum)
        let meansAll =
            rest.after(">=") != nil && bounds.0 == 0
            || rest.after("<=") != nil && bounds.1 == maximum && isOfWholeBytes
        guard mayBeAll || !meansAll else { throw refuse("every number is meant") }
    }
}

extension ArraySlice where Element == UInt8 {
    /// A number, or one with a unit of bytes: kb, mb, gb, and kib, mib, gib, which Suricata takes for the same.
    fileprivate var measured: Int? {
        let unit = suffix(while: { $0.lowercased.isLowercase })
        guard !unit.isEmpty, unit.startIndex > startIndex, let number = self[..<unit.startIndex].trimmed.number,
            number >= 0, number < 1 << 32
        else { return unsigned }
        switch unit.string.lowercased() {
        case "kb", "kib": return number << 10
        case "mb", "mib": return number << 20
        case "gb", "gib": return number << 30
        default: return unsigned
        }
    }

    private func suffix(while belongs: (UInt8) -> Bool) -> RuleText {
        self[((lastIndex { !belongs($0) }).map { $0 + 1 } ?? startIndex)...]
    }

    fileprivate func after(_ prefix: StaticString) -> RuleText? {
        let text = Array("\(prefix)".utf8)
        return starts(with: text) ? dropFirst(text.count) : nil
    }

    /// What stands before and after the first `separator`; nil unless something stands before it.
    fileprivate func cut(at separator: StaticString) -> (RuleText, RuleText)? {
        let text = Array("\(separator)".utf8)
        guard let first = indices.dropFirst().first(where: { self[$0...].starts(with: text) }) else {
            return nil
        }
        return (self[..<first], self[(first + text.count)...])
    }
}
