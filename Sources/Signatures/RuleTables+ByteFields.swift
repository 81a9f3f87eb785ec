// byte_test, byte_jump, byte_extract and byte_math, in the meaning of Suricata's detect-bytetest.c and its
// neighbours; rpc.

/// A number read from a text.
private struct Reading {
    var value: UInt64
    /// Where it stands, and how many bytes of the text belong to it.
    var start: Int32
    var count: Int32

    var end: Int32 { start &+ count }
}

extension RuleTables {
    /// nil if it does not lie within the text or has no digits.
    private func read(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: Int32
    ) -> Reading? {
        var offset = unsafe Int64(step.pointee.first)
        if unsafe step.pointee.firstVariable != Step.noVariable {
            offset = unsafe Int64(Int32(truncatingIfNeeded: memory.variables[Int(step.pointee.firstVariable)]))
        }
        let start =
            unsafe step.pointee.traits.contains(.relative) ? Int64(place) + offset : offset - text.origin
        var count = unsafe Int64(step.pointee.second)
        if unsafe step.pointee.secondVariable != Step.noVariable {
            count = unsafe Int64(min(memory.variables[Int(step.pointee.secondVariable)], 24))
            guard unsafe count <= limit(step) else { return nil }
        }
        guard unsafe text.length > 0, start >= 0, unsafe start + count <= Int64(text.length) else { return nil }
        // byte_jump may read nothing, and jump by its correction alone.
        guard unsafe count > 0 || step.pointee.kind == .byteJump else { return nil }
        var reading = Reading(value: 0, start: Int32(start), count: Int32(count))
        guard unsafe count == 0 || fill(&reading, step, text.bytes + Int(start)) else { return nil }
        return reading
    }

    /// Bytes that are read at most, where a variable says how many.
    private func limit(_ step: UnsafePointer<Step>) -> Int64 {
        let isMath = unsafe step.pointee.kind == .byteMath
        guard unsafe step.pointee.base != 0 else { return isMath ? Int64(ByteMath.longest) : 8 }
        return isMath ? Int64(ByteMath.mostDigits) : 23
    }

    /// What the step's mask leaves of a number, shifted down to the mask's lowest bit.
    private func masked(_ step: UnsafePointer<Step>, _ value: UInt64) -> UInt64 {
        guard unsafe step.pointee.mask != 0 else { return value }
        return unsafe (value & UInt64(step.pointee.mask)) >> UInt64(step.pointee.shift)
    }

    private func fill(
        _ reading: inout Reading, _ step: UnsafePointer<Step>, _ bytes: UnsafePointer<UInt8>
    ) -> Bool {
        let count = Int(reading.count)
        var value: UInt64 = 0
        let base = unsafe UInt64(step.pointee.base)
        guard base != 0 else {
            var i = 0
            while i < count {
                let index = unsafe step.pointee.traits.contains(.little) ? count &- 1 &- i : i
                value = unsafe value << 8 | UInt64(bytes[index])
                i &+= 1
            }
            reading.value = value
            return true
        }
        // As strtoull reads: blanks, a sign, 0x before hexadecimal digits, and as many digits as there are.
        var i = 0
        while unsafe i < count && bytes[i].isBlank { i &+= 1 }
        var isNegative = false
        if unsafe i < count && (bytes[i] == UInt8(ascii: "-") || bytes[i] == UInt8(ascii: "+")) {
            isNegative = unsafe bytes[i] == UInt8(ascii: "-")
            i &+= 1
        }
        if unsafe base == 16 && i &+ 2 < count && bytes[i] == UInt8(ascii: "0")
            && bytes[i + 1].lowercased == UInt8(ascii: "x")
            && bytes[i + 2].hexValue != nil
        {
            i &+= 2
        }
        let digits = i
        while i < count {
            guard let digit = unsafe bytes[i].hexValue, UInt64(digit) < base else { break }
            let (product, overflows) = value.multipliedReportingOverflow(by: base)
            let (sum, carries) = product.addingReportingOverflow(UInt64(digit))
            guard !overflows, !carries else { return false }
            value = sum
            i &+= 1
        }
        guard i > digits else { return false }
        reading.value = isNegative ? 0 &- value : value
        reading.count = Int32(i)
        return true
    }

    private func value(_ step: UnsafePointer<Step>, _ memory: ConfirmMemory) -> UInt64 {
        if unsafe step.pointee.valueVariable != Step.noVariable {
            return unsafe memory.variables[Int(step.pointee.valueVariable)]
        }
        return unsafe UInt64(bitPattern: step.pointee.value)
    }

    /// `reach` becomes the end of what was read.
    func byteTest(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: Int32, _ reach: inout Int32
    ) -> Bool {
        guard let reading = unsafe read(step, text, memory, place),
            let comparison = unsafe ByteTest.Comparison(rawValue: step.pointee.comparison)
        else { return false }
        reach = reading.end
        let number = unsafe masked(step, reading.value)
        let other = unsafe value(step, memory)
        let holds =
            switch comparison {
            case .less: number < other
            case .greater: number > other
            case .lessOrEqual: number <= other
            case .greaterOrEqual: number >= other
            case .equal: number == other
            case .and: number & other != 0
            case .or: number ^ other != 0
            }
        return unsafe holds != step.pointee.traits.contains(.negated)
    }

    func byteJump(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: inout Int32,
        _ reach: inout Int32
    ) -> Bool {
        guard let reading = unsafe read(step, text, memory, place) else { return false }
        reach = reading.end
        var far = unsafe Int64(
            truncatingIfNeeded: masked(step, reading.value) &* UInt64(step.pointee.multiplier))
        // No text is so long; and what follows cannot overflow then.
        far = max(-1 << 32, min(far, 1 << 32))
        if unsafe step.pointee.traits.contains(.aligned) { far = (far + 3) & ~3 }
        let correction = unsafe value(step, memory)
        far += Int64(Int32(truncatingIfNeeded: correction))
        let origin: Int64
        if unsafe step.pointee.traits.contains(.fromStart) {
            origin = unsafe -text.origin
        } else if unsafe step.pointee.traits.contains(.fromEnd) {
            origin = unsafe Int64(text.length)
        } else {
            origin = Int64(reading.end)
        }
        // Before the start means the start; the end itself is a place.
        let goal = max(0, origin + far)
        guard unsafe goal <= Int64(text.length) else { return false }
        place = Int32(goal)
        return true
    }

    func byteExtract(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: inout Int32
    ) -> Bool {
        guard let reading = unsafe read(step, text, memory, place) else { return false }
        var value = unsafe masked(step, reading.value) &* UInt64(step.pointee.multiplier)
        let alignment = unsafe UInt64(step.pointee.length)
        if alignment != 0 { value = (value &+ alignment &- 1) & ~(alignment &- 1) }
        unsafe memory.variables[Int(step.pointee.result) & (RuleNumbers.limit - 1)] = value
        place = reading.end
        return true
    }

    func byteMath(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: inout Int32
    ) -> Bool {
        guard let reading = unsafe read(step, text, memory, place),
            let arithmetic = unsafe ByteMath.Operator(rawValue: step.pointee.comparison)
        else { return false }
        let other = unsafe value(step, memory)
        var result = reading.value
        switch arithmetic {
        case .add: result &+= other
        case .subtract: result &-= other
        case .multiply: result &*= other
        case .divide:
            guard other != 0 else { return false }
            result /= other
        case .shiftLeft: result = other < 64 ? result << other : 0
        case .shiftRight: result = other < 64 ? result >> other : 0
        }
        // byte_math's mask is for what comes out.
        unsafe memory.variables[Int(step.pointee.result) & (RuleNumbers.limit - 1)] = masked(step, result)
        place = reading.end
        return true
    }

    // MARK: - rpc

    /// RFC 5531 §9: transaction 4 bytes, 0 for a call, version 2 of RPC, program, version, procedure. Over
    /// TCP a record mark of 4 bytes goes before (§11).
    func remoteCall(_ step: UnsafePointer<Step>, _ text: Subtext) -> Bool {
        for start in [0, 4] where unsafe Int(text.length) >= start + 24 {
            func word(_ index: Int) -> Int64 {
                let bytes = unsafe text.bytes + start + 4 * index
                return unsafe Int64(bytes[0]) << 24 | Int64(bytes[1]) << 16 | Int64(bytes[2]) << 8 | Int64(bytes[3])
            }
            guard word(1) == 0, word(2) == 2, unsafe word(3) == step.pointee.value,
                unsafe step.pointee.low < 0 || word(4) == step.pointee.low,
                unsafe step.pointee.high < 0 || word(5) == step.pointee.high
            else { continue }
            return true
        }
        return false
    }
}
