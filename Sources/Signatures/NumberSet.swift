/// A set of numbers as sorted ranges that neither overlap nor touch: the ports or addresses that one side
/// of a rule means.
struct NumberSet<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<Number>]

    static var none: NumberSet { NumberSet(ranges: []) }
    static var all: NumberSet { NumberSet(0 ... .max) }

    init(_ range: ClosedRange<Number>) { ranges = [range] }

    private init(ranges: [ClosedRange<Number>]) { self.ranges = ranges }

    init(union parts: [NumberSet]) {
        ranges = []
        for range in parts.flatMap(\.ranges).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last,
                last.upperBound == .max || range.lowerBound <= last.upperBound + 1
            {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    var isEmpty: Bool { ranges.isEmpty }
    var isAll: Bool { ranges.first == 0 ... .max }

    var complement: NumberSet {
        var gaps: [ClosedRange<Number>] = []
        var next: Number? = 0
        for range in ranges {
            if let low = next, low < range.lowerBound { gaps.append(low...(range.lowerBound - 1)) }
            next = range.upperBound == .max ? nil : range.upperBound + 1
        }
        if let low = next { gaps.append(low ... .max) }
        return NumberSet(ranges: gaps)
    }

    func subtracting(_ other: NumberSet) -> NumberSet {
        NumberSet(union: [complement, other]).complement
    }
}

typealias AddressSet = NumberSet<UInt128>
typealias PortSet = NumberSet<UInt16>

extension NumberSet<UInt16> {
    /// How many ports it holds: 0…65,536.
    var portCount: Int { ranges.reduce(0) { $0 + $1.count } }
}
