/// A range of addresses that share their first bits: `192.0.2.0/24`, `2001:db8::/32`.
@frozen
public struct Prefix: Hashable, Sendable, BitwiseCopyable {
    /// The lowest address in the range.
    public let base: Address
    /// Leading bits of the 128-bit form that are fixed, 0…128: a /24 of IPv4 is 120.
    public let fixedBits: UInt8

    /// `length` counts in the family of `address`: 0…32 or 0…128. Bits beyond it are cleared.
    public init?(_ address: Address, length: Int) {
        guard (0...address.bitWidth).contains(length) else { return nil }
        fixedBits = UInt8(128 - address.bitWidth + length)
        base = address & Prefix.mask(fixedBits)
    }

    /// One address.
    public init(_ address: Address) {
        fixedBits = 128
        base = address
    }

    @inlinable
    public static func mask(_ bits: UInt8) -> Address {
        Address(
            high: bits >= 64 ? .max : bits == 0 ? 0 : ~(UInt64.max >> UInt64(bits)),
            low: bits <= 64 ? 0 : bits >= 128 ? .max : ~(UInt64.max >> UInt64(bits - 64)))
    }

    @inlinable
    public func contains(_ address: Address) -> Bool {
        (address & Prefix.mask(fixedBits)) == base
    }

    /// The highest address in the range.
    public var last: Address {
        let mask = Prefix.mask(fixedBits)
        return Address(high: base.high | ~mask.high, low: base.low | ~mask.low)
    }

    public var isSingle: Bool { fixedBits == 128 }
    public var isV4: Bool { base.isV4 && fixedBits >= 96 }

    /// Length in the family of the address: 0…32 or 0…128.
    public var length: Int { isV4 ? Int(fixedBits) - 96 : Int(fixedBits) }
}

extension Address {
    @inlinable
    static func & (a: Address, b: Address) -> Address {
        Address(high: a.high & b.high, low: a.low & b.low)
    }
}

extension Prefix: CustomStringConvertible, LosslessStringConvertible {
    /// `address` or `address/length`; nil for anything else. Host bits may be set: they are cleared.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = Address(parts[0]) else { return nil }
        switch parts.count {
        case 1: self.init(address)
        case 2:
            guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
                let length = Int(parts[1])
            else { return nil }
            self.init(address, length: length)
        default: return nil
        }
    }

    public var description: String { isSingle ? "\(base)" : "\(base)/\(length)" }
}
