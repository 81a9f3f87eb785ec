import Glibc

/// What became of the search for an entry's contents.
enum ContentResult { case found, absent, abandoned }

/// Working memory of the search: for each content of the segment, where to look for it next, and where a
/// match of it must end at the latest.
@unsafe
struct ContentPlaces {
    fileprivate let next: UnsafeMutablePointer<Int32>
    fileprivate let limits: UnsafeMutablePointer<Int32>
    private let capacity: Int

    init(capacity: Int) {
        unsafe self.capacity = max(1, capacity)
        unsafe next = .allocate(capacity: 2 * self.capacity)
        unsafe next.initialize(repeating: 0, count: 2 * self.capacity)
        unsafe limits = unsafe next + self.capacity
    }

    func deallocate() { unsafe next.deallocate() }

    var memoryBytes: Int { unsafe 2 * capacity * MemoryLayout<Int32>.stride }
}

extension RuleTables {
    /// Whether there are places in the payload at which all contents of an entry stand as it asks.
    ///
    /// Contents bound to the payload are independent of each other. Within a segment each content is tried
    /// at each of its places until all that follow it fit. A place that failed once is not tried again:
    /// what follows depends on it alone, not on how it was reached. So a segment costs at most one try for
    /// each content and byte; what negated contents add to that is bounded by `budget`.
    func contentsMatch(
        _ run: Run, _ payload: UnsafePointer<UInt8>, _ length: Int32, _ places: ContentPlaces
    ) -> ContentResult {
        var budget = 65_536 &+ 2 &* (Int(run.count) &+ 4) &* Int(length)
        var i = run.lower
        while i < run.upper {
            let content = unsafe contents + i
            if unsafe content.pointee.traits.contains(.negated) {
                let place = unsafe find(
                    content, payload, from: content.pointee.low, to: min(length, content.pointee.high),
                    &budget)
                if budget < 0 { return .abandoned }
                if place >= 0 { return .absent }
                i &+= 1
            } else {
                let count = unsafe Int(content.pointee.segment)
                guard unsafe segmentMatches(content, count, payload, length, places, &budget) else {
                    return budget < 0 ? .abandoned : .absent
                }
                i &+= count
            }
        }
        return .found
    }

    private func segmentMatches(
        _ segment: UnsafePointer<CompiledContent>, _ count: Int, _ payload: UnsafePointer<UInt8>,
        _ length: Int32, _ places: ContentPlaces, _ budget: inout Int
    ) -> Bool {
        var k = 0
        while k < count {
            unsafe places.next[k] = 0
            k &+= 1
        }
        k = 0
        unsafe places.next[0] = unsafe segment.pointee.low
        unsafe places.limits[0] = unsafe min(length, segment.pointee.high)
        while true {
            let content = unsafe segment + k
            let place = unsafe find(
                content, payload, from: places.next[k], to: places.limits[k], &budget)
            if budget < 0 { return false }
            guard place >= 0 else {
                // Another place of what it is relative to can only move its own window up; that is of use
                // only if the window has an end.
                guard unsafe k > 0 && content.pointee.high != .max else { return false }
                k &-= unsafe Int(content.pointee.back)
                continue
            }
            unsafe places.next[k] = place &+ 1
            let end = unsafe place &+ content.pointee.length
            // What must not stand relative to this match, up to the next that must.
            var following = k &+ 1
            var excluded = false
            while following < count {
                let other = unsafe segment + following
                let low = unsafe max(0, end &+ other.pointee.low)
                let high = unsafe min(length, end.addingClamped(other.pointee.high))
                if unsafe !other.pointee.traits.contains(.negated) {
                    unsafe places.next[following] = unsafe max(places.next[following], low)
                    unsafe places.limits[following] = high
                    break
                }
                if unsafe find(other, payload, from: low, to: high, &budget) >= 0 {
                    excluded = true
                    break
                }
                following &+= 1
            }
            if budget < 0 { return false }
            if excluded { continue }
            if following == count { return true }
            k = following
        }
    }

    /// The first place at or after `from` where the content stands and ends by `to`; −1 if there is none.
    private func find(
        _ content: UnsafePointer<CompiledContent>, _ payload: UnsafePointer<UInt8>, from: Int32, to: Int32,
        _ budget: inout Int
    ) -> Int32 {
        let length = unsafe content.pointee.length
        let last = to &- length
        budget &-= 16
        guard from >= 0, to >= length, from <= last else { return -1 }
        let pattern = unsafe patterns + Int(content.pointee.pattern)
        let ignoresCase = unsafe content.pointee.traits.contains(.ignoresCase)
        let anchor = unsafe content.pointee.anchor
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
}

extension Int32 {
    /// The sum, or the largest number if it is larger than that.
    @inline(__always)
    fileprivate func addingClamped(_ other: Int32) -> Int32 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
