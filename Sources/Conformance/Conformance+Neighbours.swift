import Wire

/// Who sends what: guests by their ports and hardware addresses, and ARP (RFC 826).
extension Conformance {
    /// The packet comes from a guest, as its port or its hardware address tells.
    @inline(never)
    static func examineSender(
        _ packet: borrowing @_addressable Packet, _ around: @_addressable Surroundings, _ memory: inout NeighbourMemory,
        _ failed: inout CheckSet
    ) {
        if around.isMACForeign { failed.insert(.guestMACSpoofed) }
        if around.port != 0, around.sourceMAC != 0, memory.isNew(around.sourceMAC, at: around.port) {
            failed.insert(.guestMACChanged)
        }
        let (isIP, isARP) = (packet.isIP, packet.kind == .arp)
        guard isIP || isARP, !packet.isUndecodable else { return }
        let source = packet.source
        if around.sourceGuest != around.sender, !around.isSourceUnsettled, !source.isUnspecified, source != .none,
            !source.isLinkLocal
        {
            failed.insert(.guestAddressSpoofed)
        }
    }

    @inline(never)
    static func examineARP(
        _ packet: borrowing @_addressable Packet, _ bytes: RawSpan, _ around: @_addressable Surroundings,
        _ memory: inout NeighbourMemory,
        _ failed: inout CheckSet
    ) {
        guard !packet.isUndecodable,
            let message = ARPMessage(bytes.clamped(Int(packet.networkOffset), bytes.byteCount))
        else { return }
        let mac = message.senderMAC
        let sender = message.sender
        let isReply = message.operation == 2
        if mac >> 40 & 1 != 0 { return failed.insert(.arpGroupSender) }
        if around.sourceMAC != 0, mac != around.sourceMAC { failed.insert(.arpSenderMismatch) }
        // A probe has no sender's address (RFC 5227 §2.1.1), and says nothing of who has one.
        guard sender.isOfAHost else {
            if isReply || !sender.isUnspecified { failed.insert(.arpSenderAddress) }
            return
        }
        let isGratuitous = sender == message.target
        if isReply {
            if !isGratuitous, !memory.wasAsked(sender, by: message.target, around.time) {
                failed.insert(.arpUnsolicitedReply)
            }
        } else if message.operation == 1, !isGratuitous {
            memory.remember(asking: sender, of: message.target, around.time)
        }
        if memory.conflicts(sender, mac, around.time) { failed.insert(.arpConflict) }
    }
}
