/// An 802.1Q or 802.1ad tag, from behind its tag protocol identifier: tag control information, then the
/// type of what it wraps (IEEE 802.1Q §9.3).
public struct VLANTag: ~Escapable {
    public static var size: Int { 4 }

    @usableFromInline enum Field {
        @usableFromInline static var control: Int { 0 }
        @usableFromInline static var type: Int { 2 }
    }

    public let bytes: RawSpan

    /// nil for less than 4 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= VLANTag.size else { return nil }
        self.bytes = bytes
    }

    @inlinable
    public static func isIdentifier(_ etherType: UInt16) -> Bool {
        etherType == EtherType.customerTag || etherType == EtherType.serviceTag
            || etherType == EtherType.legacyServiceTag
    }

    /// Priority 3 bits, DEI 1 bit, VLAN identifier 12 bits.
    @inlinable public var control: UInt16 { bytes.be16(Field.control) }
    @inlinable public var priority: UInt8 { UInt8(truncatingIfNeeded: control >> 13) }
    @inlinable public var identifier: UInt16 { control & 0x0FFF }
    /// The EtherType, or below 0x600 the length of an 802.3 frame.
    @inlinable public var type: UInt16 { bytes.be16(Field.type) }
}
