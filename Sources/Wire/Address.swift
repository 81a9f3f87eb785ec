/// An IPv4 or IPv6 address in 16 bytes; IPv4 is held as the IPv4-mapped `::ffff:a.b.c.d`
/// (RFC 4291 §2.5.5.2), so that one compare serves both.
@frozen
public struct Address: Hashable, Sendable, BitwiseCopyable {
    /// The first and the last eight bytes of the address, as numbers in host order.
    public let high: UInt64
    public let low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// `bits` is the address as a number: 192.0.2.1 is 0xC000_0201.
    @inlinable
    public init(v4 bits: UInt32) {
        high = 0
        low = 0x0000_FFFF_0000_0000 | UInt64(bits)
    }

    /// `::`, which no packet of a real flow carries: stands for "none".
    public static let none = Address(high: 0, low: 0)

    @inlinable
    public var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Bits of the address in its own family: 32 or 128.
    @inlinable
    public var bitWidth: Int { isV4 ? 32 : 128 }
}

extension Address: Comparable {
    @inlinable
    public static func < (a: Address, b: Address) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }
}

// MARK: - Text

extension Address: CustomStringConvertible, LosslessStringConvertible {
    /// Parses dotted-quad IPv4 or RFC 4291 §2.2 IPv6 text; nil for anything else, zone suffixes included.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let groups = Address.groups(of: bytes) else { return nil }
            self.init(
                high: groups[0..<4].reduce(0) { $0 << 16 | UInt64($1) },
                low: groups[4..<8].reduce(0) { $0 << 16 | UInt64($1) })
        } else {
            guard let bits = Address.quad(of: bytes[...]) else { return nil }
            self.init(v4: bits)
        }
    }

    /// RFC 5952: lower case, the longest run of two or more zero groups shortened, the first of equals.
    public var description: String {
        if isV4 {
            let bits = UInt32(truncatingIfNeeded: low)
            return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        }
        let groups = (0..<8).map {
            UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> (48 - 16 * UInt64($0 % 4)))
        }
        var best = 0..<0
        var start = 0
        for i in 0...8 where i == 8 || groups[i] != 0 {
            if i - start > best.count { best = start..<i }
            start = i + 1
        }
        let text = { (part: ArraySlice<UInt16>) in
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard best.count >= 2 else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }

    private static func quad(of text: ArraySlice<UInt8>) -> UInt32? {
        var bits: UInt32 = 0
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (48...57).contains($0) }),
                part.count == 1 || part.first != 48
            else { return nil }
            let value = part.reduce(0) { $0 * 10 + UInt32($1 - 48) }
            guard value <= 255 else { return nil }
            bits = bits << 8 | value
        }
        return bits
    }

    private static func groups(of text: [UInt8]) -> [UInt16]? {
        var head: [UInt16] = []
        var tail: [UInt16]? = nil
        var rest = text[...]
        let colon = UInt8(ascii: ":")
        if rest.starts(with: [colon, colon]) {
            rest = rest.dropFirst(2)
            tail = []
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != colon }
            var groups: [UInt16] = []
            if part.contains(UInt8(ascii: ".")) {
                guard part.endIndex == rest.endIndex, let bits = quad(of: part) else { return nil }
                groups = [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
            } else {
                guard (1...4).contains(part.count), part.allSatisfy({ $0 != 43 && $0 != 45 }),
                    let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
                else { return nil }
                groups = [value]
            }
            if tail == nil { head += groups } else { tail! += groups }
            rest = rest[part.endIndex...]
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.first == colon {
                guard tail == nil else { return nil }
                tail = []
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        guard let tail else { return head.count == 8 ? head : nil }
        guard head.count + tail.count <= 7 else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }
}
