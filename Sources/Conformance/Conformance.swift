import Evidence
import Wire

/// Says what is wrong with a packet's form. What becomes of the packet is for the policy to decide, so no
/// finding asks for more than acceptance.
public enum Conformance {
    /// Adds a finding for each anomaly of the packet.
    @inlinable
    public static func inspect(_ packet: borrowing Packet, into findings: inout Findings) {
        guard !packet.anomalies.isEmpty else { return }
        report(packet.anomalies, into: &findings)
    }

    @usableFromInline
    static func report(_ anomalies: Anomalies, into findings: inout Findings) {
        var rest = anomalies.rawValue
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            rest &= rest - 1
            findings.append(
                Finding(
                    .conformance, code: UInt32(truncatingIfNeeded: index),
                    concern: concern(of: Anomalies(rawValue: 1 << UInt64(index))), asks: .accept))
        }
    }

    /// Sets instead of a look-up in the table: packets of an attacker come by here.
    static func concern(of anomaly: Anomalies) -> Concern {
        if !high.isDisjoint(with: anomaly) { return .high }
        return low.isDisjoint(with: anomaly) ? .medium : .low
    }

    /// What is only ever seen in attacks: known ways past a filter, or to crash a host.
    private static var high: Anomalies {
        [
            .ipv6DuplicateExtension, .ipv6MappedAddress, .fragmentTooLarge, .fragmentTiny,
            .ipv6TooManyExtensions,
        ]
    }

    /// What offload, captures, padding and odd but honest devices make.
    private static var low: Anomalies {
        [
            .cutByCapture, .vlanTooMany, .arpUnsupported, .ipv4LengthZero, .ipv6LengthZero, .ipv6Jumbogram,
        ]
    }
}
