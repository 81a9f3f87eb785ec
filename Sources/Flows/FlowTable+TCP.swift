import Wire

extension FlowTable {
    /// Follows a TCP segment: the handshake, what is acknowledged, the end; and takes its payload into the
    /// stream.
    mutating func follow(
        _ flow: UnsafeMutablePointer<Flow>, _ packet: Packet, _ bytes: RawSpan, _ step: inout FlowStep
    ) {
        let start = Int(packet.transportOffset)
        guard start >= 0, start + TCPHeader.minimumSize <= bytes.byteCount,
            let header = TCPHeader(bytes.extracting(start..<bytes.byteCount))
        else { return }
        let sender = unsafe stream(of: flow, step.toServer)
        let receiver = unsafe stream(of: flow, !step.toServer)
        let flags = header.flags
        if flags.contains(.syn), !flags.contains(.rst) {
            unsafe synchronise(flow, sender, receiver, header, step.toServer, &step)
        } else if unsafe flow.pointee.session.state == .none {
            if flags.contains(.rst) { step.events.insert(.rstButNoSession) }
            if flags.contains(.fin) { step.events.insert(.finButNoSession) }
            guard mode.midstream, !flags.contains(.rst) else { return }
            unsafe flow.pointee.flags.insert(.midstream)
            unsafe flow.pointee.session.state = .established
            unsafe flow.pointee.state = .established
        }
        if unsafe !sender.pointee.flags.contains(.isOpen) && flow.pointee.flags.contains(.midstream)
            && !flags.contains(.rst)
        {
            // A side whose beginning was not seen begins with the first that is.
            unsafe open(sender, at: header.sequence &- 1)
            // What its window is scaled by was said before.
            unsafe sender.pointee.scale = 14
            unsafe sender.pointee.flags.insert(.hasScale)
        }
        guard unsafe flow.pointee.session.state != .none else { return }
        if !flags.contains(.ack), header.acknowledgement != 0 { step.events.insert(.pktBrokenAck) }
        if flags.contains(.rst) { return unsafe reset(flow, sender, receiver, header, packet, &step) }
        guard unsafe isTimely(flow, sender, receiver, header, packet, &step) else { return }
        let isScaled = unsafe sender.pointee.flags.intersection(receiver.pointee.flags).contains(.hasScale)
        let scale = unsafe flags.contains(.syn) || !isScaled ? 0 : min(14, sender.pointee.scale)
        unsafe sender.pointee.window = UInt32(header.window) << UInt32(scale)
        if flags.contains(.ack) { unsafe acknowledge(flow, sender, receiver, header, step.toServer, &step) }
        if packet.payloadLength > 0, unsafe isWanted(flow, sender, receiver, header, packet, &step) {
            unsafe take(packet, bytes, header, sender, &step)
        }
        if flags.contains(.fin) { unsafe finish(flow, sender, receiver, header, packet) }
    }

    /// One direction's stream, in place.
    @inline(__always)
    func stream(of flow: UnsafeMutablePointer<Flow>, _ toServer: Bool) -> UnsafeMutablePointer<TCPStream> {
        unsafe (UnsafeMutableRawPointer(flow) + (toServer ? clientOffset : serverOffset))
            .assumingMemoryBound(to: TCPStream.self)
    }

    // MARK: - Beginning

    private mutating func synchronise(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ toServer: Bool,
        _ step: inout FlowStep
    ) {
        let isAnswer = header.flags.contains(.ack)
        switch unsafe flow.pointee.session.state {
        case .none:
            // An answer whose question was not seen is a beginning only for who takes up connections.
            if isAnswer {
                guard mode.midstream else { return }
                unsafe flow.pointee.flags.insert(.midstream)
                unsafe open(receiver, at: header.acknowledgement &- 1)
            }
            unsafe open(sender, header)
            unsafe flow.pointee.session.state = isAnswer ? .synReceived : .synSent
        case .synSent, .synReceived:
            if isAnswer, unsafe header.acknowledgement != receiver.pointee.next,
                unsafe header.acknowledgement != receiver.pointee.initial &+ 1
            {
                let isResent = unsafe sender.pointee.flags.contains(.isOpen) && !toServer
                step.events.insert(isResent ? .threeWaySynackResendWithDiffAck : .threeWaySynackWithWrongAck)
                return
            }
            if isAnswer, toServer, unsafe !receiver.pointee.flags.contains(.isOpen) {
                step.events.insert(.threeWaySynackInWrongDirection)
                return
            }
            if !isAnswer, !toServer, unsafe flow.pointee.session.state == .synReceived {
                step.events.insert(.threeWaySynToclientOnSynRecv)
            }
            if isAnswer { unsafe forgetEarlyData(receiver, header, &step) }
            if unsafe sender.pointee.flags.contains(.isOpen), unsafe sender.pointee.initial != header.sequence {
                // Who answers says which of several questions counts; until then the last does.
                if isAnswer {
                    step.events.insert(.threeWaySynackResendWithDiffSeq)
                    return
                }
                step.events.insert(.threeWaySynResendDiffSeqOnSynRecv)
                guard unsafe flow.pointee.session.state == .synSent else { return }
                unsafe streams.release(&sender.pointee)
                unsafe open(sender, header)
                return
            }
            if unsafe !sender.pointee.flags.contains(.isOpen) { unsafe open(sender, header) }
            if isAnswer { unsafe flow.pointee.session.state = .synReceived }
        case .established:
            let isSame = unsafe sender.pointee.initial == header.sequence
            if isAnswer, toServer {
                step.events.insert(.estSynackToserver)
            } else if isAnswer {
                let isSameAnswer = unsafe header.acknowledgement == receiver.pointee.initial &+ 1
                step.events.insert(
                    isSameAnswer
                        ? isSame ? .estSynackResend : .estSynackResendWithDiffSeq
                        : .estSynackResendWithDiffAck)
            } else {
                step.events.insert(!toServer ? .estSynToclient : isSame ? .estSynResend : .estSynResendDiffSeq)
            }
        case .closing, .closed:
            step.events.insert(.shutdownSynResend)
        }
    }

    private func open(_ stream: UnsafeMutablePointer<TCPStream>, at initial: UInt32) {
        var fresh = TCPStream()
        fresh.initial = initial
        fresh.next = initial &+ 1
        fresh.acknowledged = initial &+ 1
        fresh.inspected = initial &+ 1
        fresh.flags = .isOpen
        unsafe stream.pointee = fresh
    }

    private func open(_ stream: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader) {
        unsafe open(stream, at: header.sequence)
        if let scale = header.windowScale {
            unsafe stream.pointee.scale = scale
            unsafe stream.pointee.flags.insert(.hasScale)
        }
        if let timestamp = header.timestamp {
            unsafe stream.pointee.timestamp = timestamp
            unsafe stream.pointee.flags.insert(.hasTimestamps)
        }
    }

    // MARK: - In between

    private mutating func acknowledge(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ toServer: Bool,
        _ step: inout FlowStep
    ) {
        let number = header.acknowledgement
        guard unsafe receiver.pointee.flags.contains(.isOpen) else { return }
        let ahead = unsafe Int32(bitPattern: number &- receiver.pointee.next)
        if ahead > 0 {
            // It acknowledges what was never seen: a lie, or lost by the capture. On a bridge all is seen.
            guard !mode.isInline, unsafe ahead <= Int32(clamping: sender.pointee.window),
                unsafe flow.pointee.session.state == .established
            else {
                step.events.insert(.pktInvalidAck)
                step.events.insert(unsafe invalidAcknowledgement(flow))
                return
            }
            unsafe receiver.pointee.next = number
        }
        if unsafe Int32(bitPattern: number &- receiver.pointee.acknowledged) > 0 {
            unsafe receiver.pointee.acknowledged = number
        }
        switch unsafe flow.pointee.session.state {
        case .synReceived, .synSent:
            // The third packet: from who was asked second. In a split handshake (4WHS) both asked.
            let areOpen = unsafe sender.pointee.flags.contains(.isOpen) && receiver.pointee.flags.contains(.isOpen)
            guard areOpen, !header.flags.contains(.syn),
                unsafe Int32(bitPattern: number &- receiver.pointee.initial) > 0
            else { break }
            unsafe flow.pointee.session.state = .established
            unsafe flow.pointee.state = .established
        case .closing:
            let isDone =
                unsafe sender.pointee.flags.contains(.hasFinished) && receiver.pointee.flags.contains(.hasFinished)
                && receiver.pointee.acknowledged == receiver.pointee.next
            if isDone { unsafe close(flow) }
        case .none, .established, .closed: break
        }
    }

    private mutating func take(
        _ packet: Packet, _ bytes: RawSpan, _ header: borrowing TCPHeader, _ sender: UnsafeMutablePointer<TCPStream>,
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
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: Packet
    ) {
        guard unsafe !sender.pointee.flags.contains(.hasFinished) else { return }
        let end = header.sequence &+ UInt32(truncatingIfNeeded: max(0, packet.payloadLength)) &+ 1
        // One that lies ahead of the data, or far behind, is not the end.
        guard unsafe end == sender.pointee.next &+ 1 || end == sender.pointee.next else { return }
        unsafe sender.pointee.next = end
        unsafe sender.pointee.flags.insert(.hasFinished)
        if unsafe flow.pointee.session.state != .closed { unsafe flow.pointee.session.state = .closing }
    }

    /// A reset ends the connection only if its receiver would believe it (RFC 5961 §3.2): what has another
    /// number is not to make us look away.
    private mutating func reset(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: Packet,
        _ step: inout FlowStep
    ) {
        if packet.payloadLength > 0 { step.events.insert(.rstWithData) }
        let isBelieved: Bool
        if unsafe sender.pointee.flags.contains(.isOpen) {
            isBelieved = unsafe isExpected(header.sequence, sender)
        } else {
            // The answer to a SYN.
            isBelieved = unsafe header.flags.contains(.ack) && header.acknowledgement == receiver.pointee.next
        }
        guard isBelieved else {
            step.events.insert(.rstInvalidAck)
            step.events.insert(.suspectedRstInject)
            return
        }
        if header.flags.contains(.ack) { unsafe acknowledge(flow, sender, receiver, header, step.toServer, &step) }
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
