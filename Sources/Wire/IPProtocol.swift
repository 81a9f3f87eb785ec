/// Upper protocols and IPv6 extension headers that the decoder knows (IANA protocol-numbers).
public enum IPProtocol {
    @inlinable public static var hopByHop: UInt8 { 0 }
    @inlinable public static var icmp: UInt8 { 1 }
    @inlinable public static var igmp: UInt8 { 2 }
    @inlinable public static var ipv4: UInt8 { 4 }
    @inlinable public static var tcp: UInt8 { 6 }
    @inlinable public static var udp: UInt8 { 17 }
    @inlinable public static var ipv6: UInt8 { 41 }
    @inlinable public static var routing: UInt8 { 43 }
    @inlinable public static var fragment: UInt8 { 44 }
    @inlinable public static var gre: UInt8 { 47 }
    @inlinable public static var esp: UInt8 { 50 }
    @inlinable public static var authentication: UInt8 { 51 }
    @inlinable public static var icmp6: UInt8 { 58 }
    @inlinable public static var noNextHeader: UInt8 { 59 }
    @inlinable public static var destinationOptions: UInt8 { 60 }
    @inlinable public static var sctp: UInt8 { 132 }
    @inlinable public static var mobility: UInt8 { 135 }
    @inlinable public static var hostIdentity: UInt8 { 139 }
    @inlinable public static var shim6: UInt8 { 140 }

    /// Extension headers that the decoder walks over. Encapsulating security payload is not among them:
    /// what follows it is encrypted.
    @inlinable
    public static func isExtension(_ number: UInt8) -> Bool {
        switch number {
        case hopByHop, routing, fragment, authentication, destinationOptions, mobility, hostIdentity, shim6:
            true
        default: false
        }
    }
}
