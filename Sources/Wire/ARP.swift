/// An ARP message for Ethernet and IPv4 (RFC 826): the form that is 28 bytes long. Whether it is of that
/// form is what `isEthernetIPv4` and `hasUsualLengths` say; the address accessors suppose it.
public struct ARPMessage: ~Escapable {
    public static var size: Int { 28 }

    @usableFromInline enum Field {
        @usableFromInline static var hardwareType: Int { 0 }
        @usableFromInline static var protocolType: Int { 2 }
        @usableFromInline static var hardwareLength: Int { 4 }
        @usableFromInline static var protocolLength: Int { 5 }
        @usableFromInline static var operation: Int { 6 }
        @usableFromInline static var senderHardware: Int { 8 }
        @usableFromInline static var senderProtocol: Int { 14 }
        @usableFromInline static var targetHardware: Int { 18 }
        @usableFromInline static var targetProtocol: Int { 24 }
    }

    public let bytes: RawSpan

    /// nil for less than 28 bytes.
    @inlinable @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= ARPMessage.size else { return nil }
        self.bytes = bytes
    }

    /// 1 is Ethernet.
    @inlinable public var hardwareType: UInt16 { bytes.be16(Field.hardwareType) }
    @inlinable public var protocolType: UInt16 { bytes.be16(Field.protocolType) }
    @inlinable public var hardwareLength: UInt8 { bytes.be8(Field.hardwareLength) }
    @inlinable public var protocolLength: UInt8 { bytes.be8(Field.protocolLength) }
    /// 1 request, 2 reply.
    @inlinable public var operation: UInt16 { bytes.be16(Field.operation) }
    /// MAC addresses, the first byte in bits 47…40.
    @inlinable public var senderMAC: UInt64 { bytes.be48(Field.senderHardware) }
    @inlinable public var targetMAC: UInt64 { bytes.be48(Field.targetHardware) }
    @inlinable public var sender: Address { Address(v4: bytes.be32(Field.senderProtocol)) }
    @inlinable public var target: Address { Address(v4: bytes.be32(Field.targetProtocol)) }

    @inlinable public var isEthernetIPv4: Bool { hardwareType == 1 && protocolType == EtherType.ipv4 }
    @inlinable public var hasUsualLengths: Bool { hardwareLength == 6 && protocolLength == 4 }
}
