/// A set of the numbers 0 to 191, in three words: what one packet can have wrong with it, by number.
@frozen
public struct BitSet192: Equatable, Sendable, BitwiseCopyable {
    @usableFromInline var low: UInt64
    @usableFromInline var middle: UInt64 = 0
    @usableFromInline var high: UInt64 = 0

    /// How many numbers there are.
    @inlinable public static var capacity: Int { 192 }

    /// `low` are the first 64 numbers, the least significant bit for 0.
    @inlinable
    public init(low: UInt64 = 0) { self.low = low }

    @inlinable
    public var isEmpty: Bool { low | middle | high == 0 }

    @inlinable
    public func contains(_ number: UInt8) -> Bool {
        let bit = 1 as UInt64 &<< UInt64(number)
        return switch number >> 6 {
        case 0: low & bit != 0
        case 1: middle & bit != 0
        default: high & bit != 0
        }
    }

    /// `number` is less than 192.
    @inlinable
    public mutating func insert(_ number: UInt8) {
        let bit = 1 as UInt64 &<< UInt64(number)
        switch number >> 6 {
        case 0: low |= bit
        case 1: middle |= bit
        default: high |= bit
        }
    }

    @inlinable
    public func isDisjoint(with other: BitSet192) -> Bool {
        low & other.low | middle & other.middle | high & other.high == 0
    }

    @inlinable
    public mutating func formUnion(_ other: BitSet192) {
        low |= other.low
        middle |= other.middle
        high |= other.high
    }

    @inlinable
    public mutating func subtract(_ other: BitSet192) {
        low &= ~other.low
        middle &= ~other.middle
        high &= ~other.high
    }

    /// Takes the lowest number out; nil when none is left.
    @inlinable
    public mutating func popFirst() -> UInt8? {
        let bit: Int
        if low != 0 {
            bit = low.trailingZeroBitCount
            low &= low &- 1
        } else if middle != 0 {
            bit = 64 + middle.trailingZeroBitCount
            middle &= middle &- 1
        } else if high != 0 {
            bit = 128 + high.trailingZeroBitCount
            high &= high &- 1
        } else {
            return nil
        }
        return UInt8(truncatingIfNeeded: bit)
    }
}
