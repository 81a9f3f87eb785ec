import Glibc

/// `entropy`: how evenly the bytes of a buffer are spread (Shannon, "A Mathematical Theory of Communication", §6), in
/// bits a byte, 0…8, compared (Suricata's rust/src/detect/entropy.rs and float.rs).
struct EntropyTest: Sendable {
    /// What it must be, or must not if `isNegated`.
    var range = -Double.infinity...Double.infinity
    var isNegated = false
    /// Bytes of the buffer that are left out at its start.
    var offset = 0
    /// Bytes after them; 0 for all.
    var count = 0

    /// Reads `[bytes n,][offset n,]value test`, in any order.
    init(_ text: RuleText) throws(Rejection) {
        var given: Set<String> = []
        for part in text.listed {
            let end = part.firstIndex(where: \.isBlank) ?? part.endIndex
            let (name, value) = (part[..<end].string, part[end...].trimmed)
            guard given.insert(name).inserted else { throw Rejection("entropy: \(name) is given twice") }
            switch name {
            case "bytes": count = try EntropyTest.number(name, value)
            case "offset": offset = try EntropyTest.number(name, value)
            case "value": try compare(value)
            default: throw Rejection("entropy takes bytes, offset and value")
            }
        }
        guard given.contains("value") else { throw Rejection("entropy needs value") }
    }

    private static func number(_ name: String, _ text: RuleText) throws(Rejection) -> Int {
        guard let number = text.number, (0...65_535).contains(number) else {
            throw Rejection("entropy: \(name) is not a number of 0…65535")
        }
        return number
    }

    private mutating func compare(_ text: RuleText) throws(Rejection) {
        let symbol = text.prefix { "<>=!".utf8.contains($0) }.string
        let ends = text.dropFirst(symbol.utf8.count).string.replacing("<>", with: "-")
            .split(separator: "-", omittingEmptySubsequences: false)
        let numbers = ends.compactMap { Double($0.filter { $0 != " " }) }
        guard numbers.count == ends.count, numbers.allSatisfy({ (0...8).contains($0) }), let first = numbers.first
        else { throw Rejection("entropy: value takes a number of 0…8, or two of which the second is higher") }
        isNegated = symbol.hasPrefix("!")
        switch (symbol, numbers.count) {
        case ("", 1), ("=", 1), ("!=", 1): range = first...first
        case ("<", 1): range = -.infinity...first.nextDown
        case ("<=", 1): range = -.infinity...first
        case (">", 1): range = first.nextUp ... .infinity
        case (">=", 1): range = first ... .infinity
        case ("", 2), ("!", 2):
            guard first.nextUp < numbers[1] else {
                throw Rejection("entropy: value takes a number of 0…8, or two of which the second is higher")
            }
            range = first.nextUp...numbers[1].nextDown
        default: throw Rejection("entropy: value does not know \(text.string)")
        }
    }
}

extension RuleTables {
    func entropy(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ budget: inout Int
    ) -> Bool {
        let start = unsafe Int(step.pointee.first)
        let rest = unsafe Int(text.length) - start
        let count = unsafe step.pointee.second == 0 ? rest : Int(step.pointee.second)
        guard rest >= 0, count <= rest else { return false }
        budget &-= 2_048 &+ count
        let found = unsafe RuleTables.entropy(text.bytes + start, count, memory.frequencies)
        let isWithin =
            unsafe found >= Double(bitPattern: UInt64(bitPattern: step.pointee.low))
            && found <= Double(bitPattern: UInt64(bitPattern: step.pointee.high))
        return unsafe isWithin != step.pointee.traits.contains(.negated)
    }

    /// In the order in which Suricata adds, so that a rule that asks for one number finds the same. `frequencies`
    /// has a place for each of the 256 bytes.
    static func entropy(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ frequencies: UnsafeMutablePointer<UInt32>
    ) -> Double {
        unsafe frequencies.update(repeating: 0, count: 256)
        var i = 0
        while i < count {
            unsafe frequencies[Int(bytes[i])] &+= 1
            i &+= 1
        }
        var entropy = 0.0
        i = 0
        while i < 256 {
            if unsafe frequencies[i] > 0 {
                let probability = unsafe Double(frequencies[i]) / Double(count)
                entropy -= probability * log2(probability)
            }
            i &+= 1
        }
        return entropy
    }
}
