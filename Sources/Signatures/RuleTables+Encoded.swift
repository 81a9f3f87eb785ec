import Glibc

/// The start of a BER element (X.690 §8.1).
private struct ElementHeader {
    /// The identifier octet; more octets of a high tag number are read over.
    var type: UInt8
    /// Where its contents begin.
    var start: Int
    /// nil for an indefinite length.
    var length: Int?

    var isConstructed: Bool { type & 0x20 != 0 }

    /// nil if it is not whole.
    init?(_ text: Subtext, at place: Int) {
        let count = unsafe Int(text.length)
        guard place >= 0, place < count else { return nil }
        type = unsafe text.bytes[place]
        var next = place + 1
        if type & 0x1F == 0x1F {
            while next < count, unsafe text.bytes[next] & 0x80 != 0 { next += 1 }
            next += 1
        }
        guard next < count else { return nil }
        let first = unsafe text.bytes[next]
        next += 1
        switch first {
        case 0..<0x80: length = Int(first)
        case 0x80: length = nil
        default:
            let octets = Int(first & 0x7F)
            guard octets <= 8, next + octets <= count else { return nil }
            var value: UInt64 = 0
            for i in 0..<octets { value = unsafe value << 8 | UInt64(text.bytes[next + i]) }
            next += octets
            length = Int(clamping: value)
        }
        start = next
    }
}

extension RuleTables {
    /// `asn1` (Suricata's rust/src/asn1): elements are walked in the order in which they stand, what is in them
    /// included. One that is not whole ends the walk.
    func encodedElements(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ place: Int32, _ budget: inout Int
    ) -> Bool {
        let faults = unsafe EncodedElements.Faults(rawValue: step.pointee.comparison)
        let oversize = unsafe step.pointee.value
        let offset = unsafe Int64(step.pointee.first)
        let origin = unsafe step.pointee.traits.contains(.relative) ? Int64(place) : -text.origin
        guard var next = Int(exactly: origin + offset), next >= 0 else { return false }
        while budget >= 0, let element = unsafe ElementHeader(text, at: next) {
            budget &-= 8
            guard let length = element.length else {
                guard element.isConstructed else { return false }
                next = element.start
                continue
            }
            guard unsafe length <= Int(text.length) - element.start else { return false }
            if oversize >= 0, length > oversize { return true }
            // Universal and primitive: 3 is a bit string, 9 a real number.
            if length > 0 {
                let first = unsafe text.bytes[element.start]
                if faults.contains(.bitString), element.type == 3, Int(first) > length * 8 { return true }
                if faults.contains(.double), element.type == 9, first & 0xC0 == 0, length > 256 { return true }
            }
            next = element.start + (element.isConstructed ? 0 : length)
        }
        return false
    }

    /// `ber_data`, `ber_skip`
    func encodedElement(_ step: UnsafePointer<Step>, _ text: Subtext, _ place: inout Int32) -> Bool {
        let isSkip = unsafe step.pointee.kind == .elementSkip
        guard let element = unsafe ElementHeader(text, at: Int(place)) else { return false }
        guard unsafe Int64(element.type) == step.pointee.value else {
            return unsafe isSkip && step.pointee.low != 0
        }
        guard unsafe element.start <= Int(text.length) else { return false }
        guard isSkip else {
            place = Int32(element.start)
            return true
        }
        guard let length = element.length, unsafe length <= Int(text.length) - element.start else { return false }
        place = Int32(element.start + length)
        return true
    }

    /// `base64_decode`: as much as stands there in base 64 (RFC 4648 §4), up to the first character that is none.
    /// `furthest` is raised to the end of what was read.
    func decode(
        _ step: UnsafePointer<Step>, _ text: Subtext, _ memory: ConfirmMemory, _ place: Int32,
        _ furthest: inout Int32, _ budget: inout Int
    ) -> Bool {
        let base = unsafe step.pointee.traits.contains(.relative) ? Int64(place) : -text.origin
        let start = unsafe base + Int64(step.pointee.first)
        guard start >= 0, unsafe start < Int64(text.length) else { return false }
        let end = unsafe min(Int64(text.length), start + Int64(step.pointee.second))
        var next = Int(start)
        var bits: UInt32 = 0
        var held = 0
        var count = 0
        while next < Int(end), let value = unsafe text.bytes[next].base64Value {
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                unsafe memory.decoded[count] = UInt8(truncatingIfNeeded: bits >> UInt32(held))
                count += 1
            }
            next += 1
        }
        budget &-= next - Int(start)
        furthest = max(furthest, Int32(next))
        unsafe memory.decodedCount.pointee = Int32(count)
        return count > 0
    }
}

extension UInt8 {
    /// RFC 4648 §4.
    fileprivate var base64Value: UInt8? {
        switch self {
        case 65...90: self - 65
        case 97...122: self - 71
        case 48...57: self + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
