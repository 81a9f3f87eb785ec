import Wire

/// What a receiver would not take, and what is odd about it.
extension FlowTable {
    /// False for a segment that its receiver throws away because its timestamp is older than one that it took
    /// note of (PAWS, RFC 7323 §5.3). Takes note.
    mutating func isTimely(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: @_addressable Packet,
        _ step: inout FlowStep
    ) -> Bool {
        guard unsafe sender.pointee.flags.intersection(receiver.pointee.flags).contains(.hasTimestamps),
            !header.flags.contains(.syn), let stamp = header.timestamp
        else { return true }
        let behind = unsafe Int32(bitPattern: sender.pointee.timestamp &- stamp)
        // Linux lets one tick pass (TCP_PAWS_WINDOW), and acknowledgements without data.
        if behind > 1 {
            guard packet.payloadLength > 0 || header.flags.contains(.fin) else { return true }
            step.events.insert(.pktInvalidTimestamp)
            if mode.isInline { step.mustDrop = true }
            return false
        }
        // Of those that the receiver was not waiting for it takes none (§4.3).
        if behind < 0, unsafe Int32(bitPattern: header.sequence &- sender.pointee.acknowledged) <= 0 {
            unsafe sender.pointee.timestamp = stamp
        }
        return true
    }

    /// Whether the receiver takes the payload, as far as that is told by where it stands. Inline it passes in any
    /// case: what the receiver will not take does no harm, and if it does take it, it was looked at.
    mutating func isWanted(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: @_addressable Packet
    ) -> Bool {
        if mode.isInline { return true }
        if !header.flags.contains(.syn), unsafe !isAnswerable(header, receiver) { return false }
        guard unsafe receiver.pointee.flags.contains(.isOpen) && flow.pointee.state != .new else {
            // Data in a SYN counts only with the option that asks for it (RFC 7413 §4.1.2).
            return !header.flags.contains(.syn) || header.asksForFastOpen
        }
        let end = header.sequence &+ UInt32(packet.payloadLength)
        return unsafe !isBeyond(end, flow, sender) || sender.pointee.flags.contains(.probes)
    }

    /// A segment that acknowledges nothing, or what its receiver never sent, is thrown away (RFC 9293 §3.10.7.4).
    /// `next` follows what is acknowledged up to a window ahead, since a capture may lack packets.
    private func isAnswerable(_ header: borrowing TCPHeader, _ receiver: UnsafeMutablePointer<TCPStream>) -> Bool {
        guard header.flags.contains(.ack) else { return false }
        guard unsafe receiver.pointee.flags.contains(.isOpen) else { return true }
        return unsafe Int32(bitPattern: header.acknowledgement &- receiver.pointee.next) <= 0
    }

    /// Data that came with the SYN and that the answer does not acknowledge was not taken (RFC 7413 §4.2.2): it
    /// will come again.
    mutating func forgetEarlyData(
        _ stream: UnsafeMutablePointer<TCPStream>, _ answer: borrowing TCPHeader, _ step: inout FlowStep
    ) {
        guard unsafe stream.pointee.flags.contains(.isOpen),
            unsafe answer.acknowledgement == stream.pointee.initial &+ 1,
            unsafe answer.acknowledgement != stream.pointee.next
        else { return }
        step.events.insert(.threeWaySynackTfoDataIgnored)
        // Inline the same bytes are expected: others would not have been looked at in their place.
        guard !mode.isInline else { return }
        unsafe streams.release(&stream.pointee)
        unsafe stream.pointee.next = stream.pointee.initial &+ 1
    }

    /// Whether a reset with this number is what its receiver waits for (RFC 5961 §3.2): to another it answers
    /// with a challenge. Who only listens cannot tell what of the data arrived.
    func isExpected(_ sequence: UInt32, _ sender: UnsafeMutablePointer<TCPStream>) -> Bool {
        if mode.isInline {
            return unsafe sequence == sender.pointee.inspected
                || sequence == sender.pointee.next
                    && sender.pointee.held == 0
        }
        let behind = unsafe Int32(bitPattern: sequence &- sender.pointee.acknowledged)
        let ahead = unsafe Int32(bitPattern: sequence &- sender.pointee.next)
        return behind >= 0 && ahead <= 0
    }
}
