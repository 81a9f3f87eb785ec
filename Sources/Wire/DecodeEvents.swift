/// A set of decoder events, one bit each.
@frozen
public struct DecodeEvents: Equatable, Sendable, BitwiseCopyable {
    @usableFromInline var low: UInt64 = 0
    @usableFromInline var middle: UInt64 = 0
    @usableFromInline var high: UInt64 = 0

    @inlinable
    public init() {}

    @inlinable
    public init(_ event: DecodeEvent) { insert(event) }

    @inlinable
    public var isEmpty: Bool { low | middle | high == 0 }

    @inlinable
    public func contains(_ event: DecodeEvent) -> Bool {
        let bit = 1 as UInt64 &<< UInt64(event.rawValue)
        return switch event.rawValue >> 6 {
        case 0: low & bit != 0
        case 1: middle & bit != 0
        default: high & bit != 0
        }
    }

    @inlinable
    public mutating func insert(_ event: DecodeEvent) {
        let bit = 1 as UInt64 &<< UInt64(event.rawValue)
        switch event.rawValue >> 6 {
        case 0: low |= bit
        case 1: middle |= bit
        default: high |= bit
        }
    }

    @inlinable
    public func isDisjoint(with other: DecodeEvents) -> Bool {
        low & other.low | middle & other.middle | high & other.high == 0
    }

    /// Takes the lowest event out; nil when none is left.
    @inlinable
    public mutating func popFirst() -> DecodeEvent? {
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
        return DecodeEvent(rawValue: UInt8(truncatingIfNeeded: bit))
    }
}
