/// A number in a payload test: as written, or what a `byte_extract` or `byte_math` before it found.
enum Operand: Sendable, Equatable {
    case number(Int)
    /// Index of the variable in its rule.
    case variable(UInt8)

    var number: Int? {
        if case .number(let number) = self { return number }
        return nil
    }

    var variable: UInt8? {
        if case .variable(let index) = self { return index }
        return nil
    }
}

/// The variables that a rule has defined so far, in the order of their definition.
struct RuleNumbers: Sendable {
    /// More than any rule of the public sets has.
    static let limit = 16

    private(set) var names: [String] = []

    mutating func define(_ text: RuleText) throws(Rejection) -> UInt8 {
        let name = text.string
        guard let first = text.first, !first.isDigit, first != UInt8(ascii: "-") else {
            throw Rejection("a variable's name does not begin with a digit")
        }
        if let known = names.firstIndex(of: name) { return UInt8(known) }
        guard names.count < RuleNumbers.limit else {
            throw Rejection("more than \(RuleNumbers.limit) variables in a rule")
        }
        names.append(name)
        return UInt8(names.count - 1)
    }

    /// A number in `range`, or the name of a variable. `isC`: 0 before it makes it octal.
    func operand(
        _ keyword: String, _ text: RuleText, _ range: ClosedRange<Int>, isC: Bool = false
    ) throws(Rejection) -> Operand {
        if let first = text.first, first.isDigit || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            let digits = first == UInt8(ascii: "+") ? text.dropFirst() : text
            guard let number = (isC ? digits.cNumber : digits.unsigned) ?? digits.number, range.contains(number) else {
                throw Rejection("\(keyword) is not a number of \(range.lowerBound)…\(range.upperBound)")
            }
            return .number(number)
        }
        guard let index = names.firstIndex(of: text.string) else {
            throw Rejection("\(keyword) names a variable that no byte_extract or byte_math before it defines")
        }
        return .variable(UInt8(index))
    }
}
