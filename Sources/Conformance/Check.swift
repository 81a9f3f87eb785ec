import Evidence
import Wire

/// One thing that a packet can get wrong. The raw value is the code of a finding and the bit in a `CheckSet`.
///
/// The first are the decoder's anomalies, each with the number of its bit, so that a set of anomalies is a set of
/// checks; then come those that only decoder events raise, then those that this room looks at itself.
@frozen
public enum Check: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    // Anomalies of the decoder.
    case cutByCapture, ethernetTooShort, vlanTooShort, vlanTooMany, arpTooShort, arpBadLengths, arpUnsupported
    case ipUnknownVersion, ipv4TooShort, ipv4WrongVersion, ipv4HeaderTooSmall, ipv4HeaderBeyondPacket
    case ipv4LengthTooSmall, ipv4LengthZero, ipv4Truncated, ipv4BadOptionLength, icmp6InIPv4
    case ipv6TooShort, ipv6WrongVersion, ipv6Truncated, ipv6LengthZero, ipv6Jumbogram, ipv6BadJumbo
    case ipv6ExtensionTruncated, ipv6TooManyExtensions, ipv6DuplicateExtension, ipv6HopByHopNotFirst
    case ipv6BadOptionLength, ipv6TooManyOptions, ipv6RoutingType0, ipv6MappedAddress, icmpInIPv6
    case fragmentTooLarge, fragmentEmpty, fragmentUneven, fragmentTiny
    case tcpTooShort, tcpHeaderTooSmall, tcpHeaderBeyondPacket, tcpBadOptionLength
    case udpTooShort, udpLengthTooSmall, udpLengthBeyondPacket, icmpTooShort, icmp6TooShort
    case ipv6ExtensionOrder, ipv4SourceRoute, ipv4RecordsRoute
    case tcpSegmentSizeZero, tcpSegmentSizeSmall, tcpWindowScale, tcpOfferOutsideSYN, tcpEchoWithoutACK

    // Decoder events.
    case linkTooShort, linkUnknownType, tooManyLayers, pppTooShort, pppUnknownProtocol, pppoeMalformed
    case greMalformed, mplsMalformed, tunnelUnknownPayload, erspanMalformed, nshMalformed, arpUnsupportedOperation
    case ipv4OptionUnknown, ipv4OptionMalformed, ipv4OptionDuplicate, ipv4OptionPadding, ipv4UnknownProtocol
    case ipv6AuthenticationReserved, ipv6OptionUnknown, ipv6OptionPadding, ipv6EmptyPadding, ipv6FragmentReserved
    case ipv6UselessFragment, ipv6DataAfterNoNext, ipv6UnknownNextHeader, ipv6InnerMalformed
    case fragmentOverlap, fragmentIgnored
    case tcpOptionDuplicate, icmpUnknownType, icmpUnknownCode, icmpQuoteMalformed, icmp6UnknownType
    case icmp6UnknownCode, icmp6QuoteMalformed, mldHopLimit
    case sctpMalformed, sctpBundling, sctpTooManyChunks, espTooShort, igmpMalformed

    // Looked at here.
    case ethernetGroupSource, guestMACSpoofed, guestAddressSpoofed, guestMACChanged
    case arpSenderMismatch, arpGroupSender, arpSenderAddress, arpConflict, arpUnsolicitedReply
    case ipHopLimitZero, ipLand, ipSourceLoopback, ipSourceGroup, ipSourceReserved, ipSourceUnspecified
    case ipDestinationLoopback, ipDestinationInvalid, ipv4BadChecksum, ipv4ReservedBit, ipv4DontFragment
    case tcpNoFlags, tcpXmas, tcpSYNFIN, tcpSYNRST, tcpNoACK, tcpReservedBits, tcpDataInSYN
    case tcpUrgentZero, tcpUrgentWithoutFlag, tcpUrgentBeyond, tcpPortZero, tcpToGroup, tcpBadChecksum
    case udpPortZero, udpNoChecksum, udpTrailingData, udpBadChecksum
    case icmpBadChecksum, icmpRedirect, icmpOversize, icmpErrorTooLong, icmpErrorWithoutPacket
    case icmpErrorAboutOthers, icmpBlackNurse, icmpEchoToGroup
    case ndHopLimit, ndTooShort, ndOptionLength, ndSource, ndTarget, ndFragmented, rogueRouter, rogueDHCP

    // What whoever follows conversations tells.
    case fragmentLate, tcpOutOfWindow, tcpAcknowledgesUnsent, tcpResetOutOfWindow
    case icmpErrorWithoutFlow, icmpErrorOutOfWindow

    // Applications.
    case dnsTooShort, dnsCounts, dnsQuestionCount, dnsPointerLoop, dnsLabel, dnsNameTooLong, dnsOversize
    case dnsAnswerWithoutQuestion, dnsQueryWithAnswers, dnsOpcode, dnsTrailingData
    case netbiosType, netbiosLength, smbProtocol, smbHeader
    case httpRequestLine, httpRequestLineTooLong, httpHeaderLine, httpHeaderTooLong, httpAmbiguousLength
    case tlsRecordType, tlsRecordVersion, tlsRecordTooLong, tlsRecordEmpty, tlsClientHello
}

/// A set of checks, one bit each.
@frozen
public struct CheckSet: Equatable, Sendable, BitwiseCopyable {
    @usableFromInline var bits = BitSet192()

    /// How many checks there may be.
    @inlinable public static var capacity: Int { BitSet192.capacity }

    @inlinable
    public init() {}

    /// What the decoder found: anomalies have the numbers of their checks.
    @inlinable
    public init(_ anomalies: Anomalies) { bits = BitSet192(low: anomalies.rawValue) }

    @inlinable
    public var isEmpty: Bool { bits.isEmpty }

    @inlinable
    public mutating func insert(_ check: Check) { bits.insert(check.rawValue) }

    @inlinable
    public mutating func formUnion(_ other: CheckSet) { bits.formUnion(other.bits) }

    @inlinable
    public func isDisjoint(with other: CheckSet) -> Bool { bits.isDisjoint(with: other.bits) }

    @inlinable
    public mutating func subtract(_ other: CheckSet) { bits.subtract(other.bits) }

    /// Takes the lowest number out; nil when none is left.
    @inlinable
    public mutating func popFirst() -> UInt8? { bits.popFirst() }
}
