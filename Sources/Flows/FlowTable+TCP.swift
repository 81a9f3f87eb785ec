import Wire

extension FlowTable {
    /// Follows a TCP segment: the handshake, what is acknowledged, the end; and takes its payload into the
    /// stream.
    mutating func follow(
        _ flow: UnsafeMutablePointer<Flow>, _ packet: @_addressable Packet, _ bytes: RawSpan, _ step: inout FlowStep
    ) {
        let start = Int(packet.transportOffset)
        guard start >= 0, start + TCPHeader.minimumSize <= bytes.byteCount,
            let header = TCPHeader(bytes.extracting(start..<bytes.byteCount))
        else { return }
        let sender = unsafe stream(of: flow, step.toServer)
        let receiver = unsafe stream(of: flow, !step.toServer)
        let flags = header.flags
        if flags.contains(.urg), mode.urgent == .drop, mode.isInline { return refuseUrgent(&step) }
        if !flags.contains(.ack), header.acknowledgement != 0 { step.events.insert(.pktBrokenAck) }
        if flags.contains(.syn), !flags.contains(.rst) {
            unsafe synchronise(flow, sender, receiver, header, step.toServer, &step)
        } else if unsafe flow.pointee.session.state == .none {
            guard unsafe takesUp(flow, flags, packet, &step) else { return }
        }
        if unsafe !sender.pointee.flags.contains(.isOpen) && flow.pointee.flags.contains(.midstream)
            && !flags.contains(.rst)
        {
            // A side whose beginning was not seen begins with the first that is.
            unsafe open(sender, at: header.sequence &- 1, nil)
            // What its window is scaled by was said before.
            unsafe sender.pointee.scale = 14
            unsafe sender.pointee.flags.insert(.hasScale)
        }
        guard unsafe flow.pointee.session.state != .none else { return }
        if flags.contains(.rst) { return unsafe reset(flow, sender, receiver, header, packet, &step) }
        guard unsafe isTimely(flow, sender, receiver, header, packet, &step) else { return }
        let isScaled = unsafe sender.pointee.flags.intersection(receiver.pointee.flags).contains(.hasScale)
        let scale = unsafe flags.contains(.syn) || !isScaled ? 0 : min(14, sender.pointee.scale)
        let window = UInt32(header.window) << UInt32(scale)
        var isTaken = unsafe isOrdinary(flow, sender, receiver, header, packet)
        if unsafe isTaken || isAcceptable(flow, sender, receiver, header, window, packet, &step) {
            unsafe sender.pointee.window = window
            if flags.contains(.ack) { unsafe acknowledge(flow, sender, receiver, header, window, packet, &step) }
            if packet.payloadLength == 0 { isTaken = true }
        }
        if packet.payloadLength > 0, !isTaken { isTaken = unsafe isWanted(flow, sender, receiver, header, packet) }
        if flags.contains(.urg), isTaken, mode.urgent == .both || mode.urgent == .oob {
            guard unsafe heed(urgent: header, sender, &step) else { return }
        }
        if packet.payloadLength > 0, isTaken { unsafe take(packet, bytes, header, sender, &step) }
        if unsafe sender.pointee.history != 0, unsafe streams.hasMarks(sender.pointee.history) {
            unsafe offerReadings(sender, &step)
        }
        if flags.contains(.fin) { unsafe finish(flow, sender, receiver, header, packet) }
    }

    /// Whether a connection is followed whose beginning was not seen, from this segment on.
    private mutating func takesUp(
        _ flow: UnsafeMutablePointer<Flow>, _ flags: TCPFlags, _ packet: @_addressable Packet, _ step: inout FlowStep
    ) -> Bool {
        guard !flags.contains(.rst) else {
            step.events.insert(.rstButNoSession)
            return false
        }
        if flags.contains(.fin), !mode.midstream || packet.payloadLength == 0 {
            step.events.insert(.finButNoSession)
            return false
        }
        guard mode.midstream else { return false }
        unsafe flow.pointee.flags.insert(.midstream)
        unsafe flow.pointee.session.state = .established
        unsafe flow.pointee.state = .established
        return true
    }

    /// One direction's stream, in place.
    @inline(__always)
    func stream(of flow: UnsafeMutablePointer<Flow>, _ toServer: Bool) -> UnsafeMutablePointer<TCPStream> {
        unsafe (UnsafeMutableRawPointer(flow) + (toServer ? clientOffset : serverOffset))
            .assumingMemoryBound(to: TCPStream.self)
    }

    // MARK: - In between

    private mutating func acknowledge(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ window: UInt32,
        _ packet: @_addressable Packet, _ step: inout FlowStep
    ) {
        guard unsafe receiver.pointee.flags.contains(.isOpen) else { return }
        let number = header.acknowledgement
        if unsafe flow.pointee.state == .new, !header.flags.contains(.syn) {
            guard unsafe confirm(flow, sender, receiver, header, packet, &step) else { return }
            unsafe flow.pointee.session.state = .established
            unsafe flow.pointee.state = .established
        }
        let ahead = unsafe Int32(bitPattern: number &- receiver.pointee.next)
        if ahead > 0 {
            // Lost by the capture; on a bridge all is seen.
            guard !mode.isInline, unsafe ahead <= Int32(clamping: sender.pointee.window),
                unsafe flow.pointee.session.state == .established
            else { return }
            unsafe receiver.pointee.next = number
        }
        if unsafe Int32(bitPattern: number &- receiver.pointee.acknowledged) > 0 {
            unsafe receiver.pointee.acknowledged = number
        }
        let edge = number &+ window
        if unsafe Int32(bitPattern: edge &- receiver.pointee.edge) > 0 { unsafe receiver.pointee.edge = edge }
        if unsafe flow.pointee.session.state == .closing {
            let isDone =
                unsafe sender.pointee.flags.contains(.hasFinished) && receiver.pointee.flags.contains(.hasFinished)
                && receiver.pointee.acknowledged == receiver.pointee.next
            if isDone { unsafe close(flow) }
        }
    }

    private mutating func take(
        _ packet: @_addressable Packet, _ bytes: RawSpan, _ header: borrowing TCPHeader,
        _ sender: UnsafeMutablePointer<TCPStream>,
        _ step: inout FlowStep
    ) {
        let length = Int(packet.payloadLength)
        let offset = Int(packet.payloadOffset)
        guard length > 0, offset >= 0, offset + length <= bytes.byteCount,
            unsafe sender.pointee.flags.contains(.isOpen)
        else { return }
        // A SYN takes a number of its own; data may come with it (RFC 7413).
        let sequence = header.sequence &+ (header.flags.contains(.syn) ? 1 : 0)
        let end = sequence &+ UInt32(truncatingIfNeeded: length)
        if unsafe Int32(bitPattern: end &- sender.pointee.next) > 0 { unsafe sender.pointee.next = end }
        unsafe bytes.withUnsafeBytes { buffer in
            let payload = unsafe (buffer.baseAddress! + offset).assumingMemoryBound(to: UInt8.self)
            unsafe add(Segment(sequence: sequence, bytes: payload, length: length), to: sender, &step)
        }
    }

    // MARK: - End

    private mutating func finish(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: @_addressable Packet
    ) {
        guard unsafe !sender.pointee.flags.contains(.hasFinished) else { return }
        let end = header.sequence &+ UInt32(truncatingIfNeeded: max(0, packet.payloadLength)) &+ 1
        // One that lies ahead of the data, or far behind, is not the end.
        guard unsafe end == sender.pointee.next &+ 1 || end == sender.pointee.next else { return }
        unsafe sender.pointee.next = end
        unsafe sender.pointee.flags.insert(.hasFinished)
        if unsafe !receiver.pointee.flags.contains(.hasFinished) {
            unsafe sender.pointee.flags.insert(.finishedFirst)
        }
        if unsafe flow.pointee.session.state != .closed { unsafe flow.pointee.session.state = .closing }
    }

    /// A reset ends the connection only if its receiver would believe it (RFC 5961 §3.2): what has another
    /// number is not to make us look away.
    private mutating func reset(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: @_addressable Packet,
        _ step: inout FlowStep
    ) {
        if packet.payloadLength > 0 { step.events.insert(.rstWithData) }
        if header.flags.contains(.ack), header.acknowledgement != 0,
            unsafe isUnfounded(flow, sender, receiver, header)
        {
            step.events.insert(.pktInvalidAck)
            step.events.insert(.rstInvalidAck)
        }
        let isBelieved: Bool
        if unsafe sender.pointee.flags.contains(.isOpen) {
            isBelieved = unsafe isExpected(header.sequence, sender)
        } else {
            // The answer to a SYN.
            isBelieved = unsafe header.flags.contains(.ack) && header.acknowledgement == receiver.pointee.next
        }
        guard isBelieved else {
            step.isResetDoubted =
                unsafe flow.pointee.session.state == .established && !flow.pointee.flags.contains(.midstream)
            return
        }
        if unsafe header.flags.contains(.ack) && flow.pointee.state != .new {
            unsafe acknowledge(flow, sender, receiver, header, 0, packet, &step)
        }
        unsafe sender.pointee.flags.insert(.wasReset)
        unsafe close(flow)
    }

    /// What is kept of the streams stays for a while: somebody may have been told that it is over who does
    /// not think so.
    private mutating func close(_ flow: UnsafeMutablePointer<Flow>) {
        unsafe flow.pointee.session.state = .closed
        unsafe flow.pointee.state = .closed
    }
}
