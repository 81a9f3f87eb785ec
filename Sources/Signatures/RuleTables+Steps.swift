import Glibc

extension RuleTables {
    /// Whether there are places in the text at which all steps of a part hold, each where it asks to be.
    ///
    /// A content or expression is tried at each of its places until what follows it fits (Suricata's
    /// detect-engine-content-inspection.c gives the meaning). Where no variables are in play, a place that
    /// failed once is not tried again, since what follows depends on it alone: a part then costs at most one
    /// try for each step and byte. `budget` bounds the rest.
    /// `furthest` becomes the end of the last byte that a step needed in order to hold.
    func partMatches(
        _ run: Run, _ whole: Subtext, _ memory: ConfirmMemory, _ furthest: inout Int32
    ) -> StepResult {
        let count = Int(run.count)
        let first = unsafe steps + run.lower
        var budget = unsafe 65_536 &+ 2 &* (count &+ 4) &* Int(whole.length)
        var place: Int32 = 0
        var k = 0
        while k < count {
            unsafe memory.next[k] = 0
            k &+= 1
        }
        k = 0
        var isRetry = false
        while k < count {
            let step = unsafe first + k
            let isDecoded = unsafe step.pointee.traits.contains(.decoded)
            // Places in what was decoded count from its start.
            if unsafe isDecoded && k > 0 && !(step - 1).pointee.traits.contains(.decoded) && !isRetry { place = 0 }
            let text = unsafe isDecoded ? memory.decodedText : whole
            let held: Bool
            var reach: Int32 = 0
            switch unsafe step.pointee.kind {
            case .content:
                held = unsafe content(step, k, text, memory, isRetry, &place, &budget)
            case .expression:
                held = unsafe expression(step, k, text, memory, isRetry, &place, &budget)
            case .base64:
                held = unsafe decode(step, text, memory, place, &reach, &budget)
            default:
                held = unsafe holds(step, text, memory, &place, &reach, &budget)
            }
            if budget < 0 { return .abandoned }
            if held {
                // Of the steps so far; what was tried and did not fit is forgotten.
                let before = k == 0 ? 0 : unsafe memory.ends[k - 1]
                unsafe memory.ends[k] = isDecoded ? before : max(before, place, reach)
                k &+= 1
                isRetry = false
                continue
            }
            let back = unsafe Int(step.pointee.back)
            // Another place of what it counts from can only move its own window up; that is of use only if
            // the window has an end.
            if unsafe step.pointee.kind == .content && step.pointee.traits.contains(.remembers)
                && step.pointee.second == .max && step.pointee.secondVariable == Step.noVariable
                && !step.pointee.traits.contains(.atEnd)
            {
                return .absent
            }
            guard back > 0 else { return .absent }
            k &-= back
            isRetry = true
        }
        furthest = count == 0 ? 0 : unsafe memory.ends[count - 1]
        return .found
    }

    // MARK: - Contents

    /// The next match of a content, from where it was found last if this is a retry.
    private func content(
        _ step: UnsafePointer<Step>, _ k: Int, _ text: Subtext, _ memory: ConfirmMemory, _ isRetry: Bool,
        _ place: inout Int32, _ budget: inout Int
    ) -> Bool {
        if !isRetry {
            let (low, high) = unsafe window(step, text, memory, place)
            let remembered = unsafe step.pointee.traits.contains(.remembers) ? memory.next[k] : 0
            unsafe memory.next[k] = max(low, remembered)
            unsafe memory.limits[k] = high
        }
        let found = unsafe find(step, text, from: memory.next[k], to: memory.limits[k], &budget)
        guard found >= 0 else { return false }
        unsafe memory.next[k] = found &+ 1
        place = unsafe found &+ step.pointee.length
        return true
    }

    /// Where a match may start at the lowest and end at the highest.
    private func window(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: Int32
    ) -> (low: Int32, high: Int32) {
        let length = unsafe text.length
        var low = unsafe Int64(step.pointee.first)
        if unsafe step.pointee.firstVariable != Step.noVariable {
            low = unsafe Int64(Int32(truncatingIfNeeded: memory.variables[Int(step.pointee.firstVariable)]))
        }
        // Offsets count from the start of the stream, of which the text may be a later part.
        low = unsafe step.pointee.traits.contains(.relative) ? low + Int64(place) : low - text.origin
        var high = Int64(length)
        if unsafe step.pointee.secondVariable != Step.noVariable {
            let reach = unsafe memory.variables[Int(step.pointee.secondVariable)]
            high = low + Int64(truncatingIfNeeded: min(reach, 1 << 32))
        } else if unsafe step.pointee.second != .max {
            high = unsafe low + Int64(step.pointee.second)
        }
        return (Int32(clamping: max(0, low)), Int32(clamping: min(Int64(length), high)))
    }

    /// The first place at or after `from` where the content stands and ends by `to`; −1 if there is none.
    private func find(
        _ step: UnsafePointer<Step>, _ text: Subtext, from: Int32, to: Int32, _ budget: inout Int
    ) -> Int32 {
        let length = unsafe step.pointee.length
        let last = to &- length
        budget &-= 16
        guard from >= 0, to >= length, from <= last else { return -1 }
        let payload = unsafe text.bytes
        let pattern = unsafe patterns + Int(step.pointee.pattern)
        let ignoresCase = unsafe step.pointee.traits.contains(.ignoresCase)
        if unsafe step.pointee.traits.contains(.atEnd) {
            guard unsafe to == text.length else { return -1 }
            return unsafe same(payload + Int(last), pattern, length, ignoresCase, &budget) ? last : -1
        }
        let anchor = unsafe step.pointee.anchor
        let rarest = unsafe pattern[Int(anchor)]
        let hasTwoCases = ignoresCase && rarest.isLowercase
        var place = from
        while place <= last {
            if hasTwoCases {
                let start = place
                while unsafe place <= last && payload[Int(place &+ anchor)] | 0x20 != rarest { place &+= 1 }
                budget &-= Int(place &- start)
                guard place <= last else { return -1 }
            } else {
                let start = unsafe payload + Int(place &+ anchor)
                guard let hit = unsafe memchr(start, Int32(rarest), Int(last &- place) &+ 1) else {
                    budget &-= Int(last &- place) >> 4
                    return -1
                }
                let skipped = unsafe UnsafePointer(hit.assumingMemoryBound(to: UInt8.self)) - start
                budget &-= skipped >> 4
                place &+= Int32(truncatingIfNeeded: skipped)
            }
            if unsafe same(payload + Int(place), pattern, length, ignoresCase, &budget) { return place }
            if budget < 0 { return -1 }
            place &+= 1
        }
        return -1
    }

    @inline(__always)
    private func same(
        _ text: UnsafePointer<UInt8>, _ pattern: UnsafePointer<UInt8>, _ length: Int32, _ ignoresCase: Bool,
        _ budget: inout Int
    ) -> Bool {
        guard ignoresCase else {
            budget &-= 4 &+ Int(length) >> 4
            return unsafe memcmp(text, pattern, Int(length)) == 0
        }
        var i = 0
        while unsafe i < Int(length) && text[i].lowercased == pattern[i] { i &+= 1 }
        budget &-= 4 &+ i
        return i == Int(length)
    }

    // MARK: - Expressions

    private func expression(
        _ step: UnsafePointer<Step>, _ k: Int, _ text: Subtext, _ memory: ConfirmMemory, _ isRetry: Bool,
        _ place: inout Int32, _ budget: inout Int
    ) -> Bool {
        if !isRetry {
            unsafe memory.origins[k] = unsafe step.pointee.traits.contains(.relative) ? place : 0
            unsafe memory.next[k] = 0
        }
        let origin = unsafe memory.origins[k]
        guard let found = unsafe match(step, text, origin, memory.next[k], memory, &budget) else { return false }
        unsafe memory.next[k] = found.start &+ 1
        place = origin &+ found.end
        return true
    }

    /// Where an expression matches, counted from `origin`, where its subject begins.
    private func match(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ origin: Int32, _ start: Int32, _ memory: ConfirmMemory,
        _ budget: inout Int
    ) -> (start: Int32, end: Int32)? {
        let length = unsafe text.length &- origin
        guard origin >= 0, length >= 0, start <= length,
            let code = unsafe expressions[Int(step.pointee.pattern)]
        else { return nil }
        budget &-= 256 &+ Int(length &- start)
        var failed = false
        let found = unsafe memory.expressions.find(
            code, text.bytes + Int(origin), from: start, length: length,
            isLimited: !step.pointee.traits.contains(.unlimited), failed: &failed)
        // A match limit that was reached leaves the rule unconfirmed, and is counted as such.
        if failed { budget = -1 }
        return found
    }

    // MARK: - What has one answer

    /// A step that holds or does not, and may move the place.
    private func holds(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: inout Int32,
        _ reach: inout Int32, _ budget: inout Int
    ) -> Bool {
        budget &-= 16
        switch unsafe step.pointee.kind {
        case .absentContent:
            let (low, high) = unsafe window(step, text, memory, place)
            return unsafe find(step, text, from: low, to: high, &budget) < 0
        case .absentExpression:
            let origin = unsafe step.pointee.traits.contains(.relative) ? place : 0
            return unsafe match(step, text, origin, 0, memory, &budget) == nil
        case .dataAt:
            var count = unsafe Int64(step.pointee.first)
            if unsafe step.pointee.firstVariable != Step.noVariable {
                count = unsafe Int64(min(memory.variables[Int(step.pointee.firstVariable)], 1 << 32))
            }
            let end =
                unsafe step.pointee.traits.contains(.relative)
                ? count + Int64(place) + step.pointee.low : count - text.origin + 1
            let isThere = unsafe end <= Int64(text.length)
            if isThere { reach = Int32(clamping: end) }
            return unsafe isThere != step.pointee.traits.contains(.negated)
        case .length:
            reach = unsafe text.length
            let all =
                unsafe step.pointee.traits.contains(.relative)
                ? Int64(text.length) - Int64(place) : Int64(text.length)
            let length = unsafe all & Int64(step.pointee.mask)
            let isWithin = unsafe length >= step.pointee.low && length <= step.pointee.high
            return unsafe isWithin != step.pointee.traits.contains(.negated)
        case .byteTest: return unsafe byteTest(step, text, memory, place, &reach)
        case .byteJump: return unsafe byteJump(step, text, memory, &place, &reach)
        case .byteExtract: return unsafe byteExtract(step, text, memory, &place)
        case .byteMath: return unsafe byteMath(step, text, memory, &place)
        case .remoteCall:
            reach = unsafe text.length
            return unsafe remoteCall(step, text)
        case .encodedElements: return unsafe encodedElements(step, text, place, &budget)
        case .elementData, .elementSkip: return unsafe encodedElement(step, text, &place)
        case .entropy:
            reach = unsafe text.length
            return unsafe entropy(step, text, memory, &budget)
        case .content, .expression, .base64: return false
        }
    }
}
