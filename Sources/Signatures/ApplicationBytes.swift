import Glibc

/// The first bytes of one direction of a flow, as the recogniser looks at them. What lies outside reads as
/// nothing.
@unsafe
struct ApplicationBytes {
    let start: UnsafePointer<UInt8>
    let count: Int

    /// −1 behind the end, which is no byte.
    @inline(__always)
    subscript(place: Int) -> Int { unsafe place >= 0 && place < count ? Int(start[place]) : -1 }

    /// Big endian; −1 if it is not whole.
    func word(_ place: Int) -> Int {
        guard place >= 0, unsafe place &+ 2 <= count else { return -1 }
        return unsafe Int(start[place]) << 8 | Int(start[place + 1])
    }

    func long(_ place: Int) -> Int {
        guard place >= 0, unsafe place &+ 4 <= count else { return -1 }
        return unsafe word(place) << 16 | word(place + 2)
    }

    func littleWord(_ place: Int) -> Int {
        guard place >= 0, unsafe place &+ 2 <= count else { return -1 }
        return unsafe Int(start[place + 1]) << 8 | Int(start[place])
    }

    /// Whether `text` stands at `place`. `text` is in lower case if case does not matter.
    func has(_ text: StaticString, at place: Int = 0, ignoringCase: Bool = false) -> Bool {
        let length = text.utf8CodeUnitCount
        guard place >= 0, unsafe place &+ length <= count else { return false }
        for i in 0..<length {
            let byte = unsafe ignoringCase ? start[place + i].lowercased : start[place + i]
            if unsafe byte != text.utf8Start[i] { return false }
        }
        return true
    }

    /// Where `text` stands between `from` and `end`; nil if it does not.
    func find(_ text: StaticString, from: Int = 0, to end: Int, ignoringCase: Bool = false) -> Int? {
        let last = unsafe min(end, count) - text.utf8CodeUnitCount
        guard from >= 0, from <= last else { return nil }
        for place in from...last where unsafe has(text, at: place, ignoringCase: ignoringCase) { return place }
        return nil
    }

    /// The first line feed; nil if there is none in the first `limit` bytes.
    func lineEnd(limit: Int) -> Int? {
        guard let found = unsafe memchr(start, 0x0A, max(0, min(limit, count))) else { return nil }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }

    /// The contents of a DER or BER length at `place`, and where what it measures begins; nil if it is not
    /// whole or does not fit in four bytes.
    func length(at place: Int) -> (length: Int, start: Int)? {
        let first = unsafe self[place]
        guard first >= 0 else { return nil }
        if first < 0x80 { return (first, place + 1) }
        let octets = first & 0x7F
        guard (1...4).contains(octets), unsafe place + 1 + octets <= count else { return nil }
        var value = 0
        for i in 0..<octets { value = unsafe value << 8 | self[place + 1 + i] }
        return (value, place + 1 + octets)
    }
}
