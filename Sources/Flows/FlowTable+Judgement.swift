import Wire

/// What is odd about a segment of a TCP connection that is established or ends: what Suricata has stream events for
/// (stream-tcp.c, the functions for each state of a connection), and what its receiver would not take.
extension FlowTable {
    /// What comes next in an established connection, with room for it, and acknowledges nothing unheard of. To be
    /// told from all else by as little as possible.
    @inline(__always)
    func isOrdinary(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: @_addressable Packet
    ) -> Bool {
        let number = header.acknowledgement
        let end = header.sequence &+ UInt32(truncatingIfNeeded: packet.payloadLength)
        return unsafe flow.pointee.session.state == .established
            && header.flags.intersection([.ack, .syn, .fin]) == .ack
            && header.sequence == sender.pointee.next
            && number &- receiver.pointee.acknowledged <= receiver.pointee.next &- receiver.pointee.acknowledged
            && Int32(bitPattern: end &- sender.pointee.edge) <= 0
            && receiver.pointee.window > 0 && !receiver.pointee.flags.contains(.probes)
    }

    /// Says what is odd about a segment that is not ordinary. Returns false if its receiver throws it away for its
    /// numbers: then what it says of itself is not believed.
    @inline(never)
    mutating func isAcceptable(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ window: UInt32,
        _ packet: @_addressable Packet, _ step: inout FlowStep
    ) -> Bool {
        if unsafe sender.pointee.flags.contains(.wasReset) { unsafe doubtReset(flow, &step) }
        guard unsafe flow.pointee.state == .established, !header.flags.contains(.syn) else { return true }
        let end = header.sequence &+ UInt32(packet.payloadLength)
        let isFinal = header.flags.contains(.fin)
        if unsafe receiver.pointee.flags.contains(.probes) {
            if unsafe header.flags.contains(.ack) && header.acknowledgement == receiver.pointee.next {
                step.events.insert(.estAckZwpData)
            }
            unsafe receiver.pointee.flags.remove(.probes)
        }
        if !isFinal {
            // A keep-alive probe is one byte or none, and was acknowledged (RFC 9293 §3.8.4).
            if packet.payloadLength <= 1, unsafe header.sequence &+ 1 == sender.pointee.next,
                unsafe header.acknowledgement == receiver.pointee.acknowledged
            {
                return true
            }
            if packet.payloadLength == 1,
                unsafe receiver.pointee.window == 0 && header.sequence == sender.pointee.next
            {
                unsafe sender.pointee.flags.insert(.probes)
                return true
            }
            if unsafe shrinksWindow(sender, receiver, header, window, packet) {
                step.events.insert(.pktBadWindowUpdate)
                return false
            }
            // An acknowledgement that another has overtaken.
            if packet.payloadLength == 0, unsafe header.sequence == sender.pointee.next,
                unsafe Int32(bitPattern: header.acknowledgement &- receiver.pointee.acknowledged) < 0
            {
                return true
            }
        }
        if packet.payloadLength > 0, unsafe Int32(bitPattern: end &- sender.pointee.acknowledged) <= 0 {
            step.events.insert(.pktSpuriousRetransmission)
        }
        let ending = unsafe Ending(flow)
        if ending != .none, packet.payloadLength > 0, unsafe Int32(bitPattern: end &- sender.pointee.next) <= 0 {
            step.events.insert(.pktRetransmission)
        }
        if let event = unsafe misplaced(flow, sender, receiver, header, packet, ending, step.toServer) {
            step.events.insert(event)
            return false
        }
        guard unsafe isUnfounded(flow, sender, receiver, header) else { return true }
        step.events.insert(.pktInvalidAck)
        step.events.insert(ending.invalidAcknowledgement(isFinal: isFinal))
        return false
    }

    /// Whether it acknowledges what was never sent, or what was acknowledged more than a window ago (RFC 5961 §5).
    /// A capture may lack what is acknowledged.
    func isUnfounded(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader
    ) -> Bool {
        guard unsafe header.flags.contains(.ack) && receiver.pointee.flags.contains(.isOpen) else { return false }
        let ahead = unsafe Int32(bitPattern: header.acknowledgement &- receiver.pointee.next)
        let behind = unsafe Int32(bitPattern: receiver.pointee.acknowledged &- header.acknowledgement)
        let window = unsafe Int32(clamping: sender.pointee.window)
        guard ahead > 0 else { return behind > window && window > 0 }
        return unsafe mode.isInline || ahead > window || flow.pointee.session.state != .established
    }

    /// Whether a place lies behind all that its receiver ever had room for.
    func isBeyond(
        _ place: UInt32, _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>
    ) -> Bool {
        unsafe Int32(bitPattern: place &- sender.pointee.edge) > 0 && !flow.pointee.flags.contains(.midstream)
    }

    /// A segment where none is expected; nil if it stands well.
    private mutating func misplaced(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: @_addressable Packet,
        _ ending: Ending, _ toServer: Bool
    ) -> StreamEvent? {
        let end = header.sequence &+ UInt32(packet.payloadLength)
        let hasData = packet.payloadLength > 0
        let isFinal = header.flags.contains(.fin)
        let acknowledged = unsafe sender.pointee.acknowledged
        let next = unsafe sender.pointee.next
        // The end has a number of its own, and may come again.
        let lowest = unsafe sender.pointee.flags.contains(.hasFinished) ? next &- 1 : next
        let isRepeated = hasData && Int32(bitPattern: end &- next) <= 0
        let isBefore = Int32(bitPattern: header.sequence &- lowest) < 0
        let isBeyond = unsafe isBeyond(end, flow, sender)
        let isStray = unsafe !isRepeated && (isBefore || self.isBeyond(header.sequence, flow, sender))
        switch ending {
        case .none:
            if isFinal {
                return Int32(bitPattern: header.sequence &- acknowledged) < 0 || isBeyond ? .finOutOfWindow : nil
            }
            if Int32(bitPattern: end &- acknowledged) < 0 { return .estPktBeforeLastAck }
            return isBeyond ? .estPacketOutOfWindow : nil
        case .finWait1:
            if isFinal { return isStray ? .fin1FinWrongSeq : nil }
            let counts = unsafe !toServer || header.acknowledgement == receiver.pointee.next
            return isBeyond && counts ? .fin1AckWrongSeq : nil
        case .finWait2:
            if isFinal { return isStray ? .fin2FinWrongSeq : nil }
            return isBeyond ? .fin2AckWrongSeq : nil
        case .closeWait:
            if isFinal { return isStray ? .closewaitFinOutOfWindow : nil }
            if hasData, Int32(bitPattern: end &- acknowledged) <= 0 { return .closewaitPktBeforeLastAck }
            return unsafe self.isBeyond(header.sequence, flow, sender) ? .closewaitAckOutOfWindow : nil
        case .closing:
            return header.sequence == next || isFinal && header.sequence == lowest ? nil : .closingAckWrongSeq
        case .lastAck:
            return toServer && !isFinal && Int32(bitPattern: header.sequence &- next) > 0 ? .lastackAckWrongSeq : nil
        case .timeWait:
            let isExpected = header.sequence == next || header.sequence == lowest
            return isFinal || isRepeated || isExpected ? nil : .timewaitAckWrongSeq
        }
    }

    /// Whether a segment acknowledges what was not sent, stands behind what is missing, and takes away more of the
    /// window than it acknowledges: what follows would be believed to be out of the window (Suricata's bug 1238,
    /// whose tolerance this is).
    private mutating func shrinksWindow(
        _ sender: UnsafeMutablePointer<TCPStream>, _ receiver: UnsafeMutablePointer<TCPStream>,
        _ header: borrowing TCPHeader, _ window: UInt32, _ packet: @_addressable Packet
    ) -> Bool {
        guard unsafe window < sender.pointee.window, header.flags.contains(.ack),
            unsafe Int32(bitPattern: header.acknowledgement &- receiver.pointee.next) > 0,
            unsafe Int32(bitPattern: header.sequence &- sender.pointee.next) > 0
        else { return false }
        let taken = unsafe sender.pointee.window - window
        let accounted = unsafe UInt64(header.acknowledgement &- receiver.pointee.acknowledged)
        return taken > packet.payloadLength && UInt64(taken) > accounted + (window > 1024 ? 32 : 0)
    }

    /// Who sent a reset goes on: it was not his, or nobody believed it. Said once.
    private mutating func doubtReset(_ flow: UnsafeMutablePointer<Flow>, _ step: inout FlowStep) {
        guard unsafe !flow.pointee.session.marks.contains(.wentOnAfterReset) else { return }
        unsafe flow.pointee.session.marks.insert(.wentOnAfterReset)
        step.events.insert(.suspectedRstInject)
    }
}

/// How far the end of a connection is, as its server has it (RFC 9293 §3.3.2).
private enum Ending {
    case none
    /// The server finished first, and that is not acknowledged, or it is; then the client did as well.
    case finWait1, finWait2, closing, timeWait
    /// The client finished first; then the server did as well.
    case closeWait, lastAck

    init(_ flow: UnsafeMutablePointer<Flow>) {
        let server = unsafe flow.pointee.session.server
        let client = unsafe flow.pointee.session.client
        if client.flags.contains(.finishedFirst) {
            self = server.flags.contains(.hasFinished) ? .lastAck : .closeWait
        } else if server.flags.contains(.hasFinished) {
            let isAcknowledged = server.acknowledged == server.next
            let isMutual = client.flags.contains(.hasFinished)
            self = isAcknowledged ? isMutual ? .timeWait : .finWait2 : isMutual ? .closing : .finWait1
        } else {
            self = .none
        }
    }

    /// What an acknowledgement of what was never sent is called.
    func invalidAcknowledgement(isFinal: Bool) -> StreamEvent {
        switch self {
        case .none: isFinal ? .finInvalidAck : .estInvalidAck
        case .finWait1: .fin1InvalidAck
        case .finWait2: .fin2InvalidAck
        case .closing: .closingInvalidAck
        case .timeWait: .timewaitInvalidAck
        case .closeWait: .closewaitInvalidAck
        case .lastAck: .lastackInvalidAck
        }
    }
}
