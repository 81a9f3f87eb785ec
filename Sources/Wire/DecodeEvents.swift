/// A set of decoder events, one bit each.
@frozen
public struct DecodeEvents: Equatable, Sendable, BitwiseCopyable {
    @usableFromInline var bits = BitSet192()

    @inlinable
    public init() {}

    @inlinable
    public init(_ event: DecodeEvent) { insert(event) }

    @inlinable
    public var isEmpty: Bool { bits.isEmpty }

    @inlinable
    public func contains(_ event: DecodeEvent) -> Bool { bits.contains(event.rawValue) }

    @inlinable
    public mutating func insert(_ event: DecodeEvent) { bits.insert(event.rawValue) }

    @inlinable
    public func isDisjoint(with other: DecodeEvents) -> Bool { bits.isDisjoint(with: other.bits) }

    /// Takes the lowest event out; nil when none is left.
    @inlinable
    public mutating func popFirst() -> DecodeEvent? {
        guard let number = bits.popFirst() else { return nil }
        return DecodeEvent(rawValue: number)
    }
}
