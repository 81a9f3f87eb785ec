import Behaviour
import Conformance
import Evidence
import Flows
import Policy
import Topology
import Wire

/// What is wrong with the form of a packet, and with whom it says it is from.
extension Inspector {
    /// What is wrong with the form of the captured packet, and of the datagram that it makes whole. Returns why it is
    /// to be dropped; `none` if it is not. `recorded` is the same where that is only to be recorded.
    @inline(__always)
    mutating func checkForm(
        _ frame: RawSpan, _ arrival: @_addressable Arrival, _ source: HostSlot, _ recorded: inout Reason
    ) -> Reason {
        var around = Surroundings(time: arrival.time)
        around.sourceGuest = hosts.guest(of: source)
        around.sourceMAC = arrival.sourceMAC
        // Of a capture, the frame says what a queue would.
        if packets[0].packet.linkOffset >= 0, arrival.sourceMAC == 0,
            let header = EthernetHeader(frame.extracting(packets[0].packet.linkHeader))
        {
            around.sourceMAC = header.source
        }
        // From no port and nobody: a capture of a loopback device, or of one without frames.
        around.isLoopback = around.sourceMAC | UInt64(arrival.port | arrival.bridge) == 0
        if !senders.isEmpty { identifySender(frame, arrival, &around) }
        around.hasChecksums = mode.verifiesHeaders
        around.isTransportChecksumBad = packets[0].isChecksumBad
        var failed = unsafe Conformance.examine(
            packets[0].packet, frame, around, checks, &neighbours.pointee)
        if packets.isLateFragment { failed.insert(.fragmentLate) }
        if packets[0].packet.isICMPError { checkQuote(frame, arrival, &failed) }
        var reason = failed.isEmpty ? Reason.none : report(failed, around.sender, &recorded)
        if packets.whole > 0 { checkWhole(frame, around, failed, &reason) }
        return reason
    }

    /// Who a packet says that it is from is what its sender is told by, and so it is the sender's policy that counts
    /// for that, not that of whom it names.
    @inline(never)
    mutating func report(_ failed: CheckSet, _ sender: Int32, _ recorded: inout Reason) -> Reason {
        guard sender >= 0, sender != guest, !failed.isDisjoint(with: Checks.ofSender) else {
            return checks.report(failed, guest: guest, into: &findings)
        }
        accused = sender
        var rest = failed
        rest.subtract(Checks.ofSender)
        var own = failed
        own.subtract(rest)
        let reason = checks.report(rest, guest: guest, into: &findings)
        let asked = checks.report(own, guest: sender, into: &findings)
        if asked != .none, policies[sender].shadow {
            recorded = asked
            return reason
        }
        return reason == .none ? asked : reason
    }

    /// Of the datagram that fragments make, only what the last of them does not fail already.
    @inline(never)
    mutating func checkWhole(
        _ frame: RawSpan, _ last: Surroundings, _ known: CheckSet, _ reason: inout Reason
    ) {
        var around = last
        around.sender = -1
        around.hasChecksums = false
        around.isTransportChecksumBad = packets[packets.whole].isChecksumBad
        var failed = unsafe Conformance.examine(
            packets[packets.whole].packet, packets.bytes(of: packets.whole, in: frame), around, checks,
            &neighbours.pointee)
        failed.subtract(known)
        let before = findings.count
        let asked = checks.report(failed, guest: guest, into: &findings)
        findings.place(from: before, layer: UInt8(packets.whole))
        if reason == .none { reason = asked }
    }
}
