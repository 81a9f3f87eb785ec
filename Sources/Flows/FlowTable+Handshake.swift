import Wire

/// How a TCP connection begins (RFC 9293 §3.5), and what is odd about it.
extension FlowTable {
    /// Different SYNs and different answers that a connection may have: the defaults of Suricata's
    /// stream.max-syn-queued and max-synack-queued.
    private static let mostRequests = 10
    private static let mostAnswers = 5

    /// Follows a segment with SYN and without RST.
    mutating func synchronise(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ toServer: Bool,
        _ step: inout FlowStep
    ) {
        let isAnswer = header.flags.contains(.ack)
        if header.asksForFastOpen { unsafe flow.pointee.session.marks.insert(.isFast) }
        switch unsafe flow.pointee.session.state {
        case .none:
            if header.flags.contains(.fin) { step.events.insert(.finButNoSession) }
            // An answer whose question was not seen is a beginning only for who takes up connections.
            if isAnswer {
                guard mode.midstream else { return }
                unsafe flow.pointee.flags.insert(.midstream)
                unsafe flow.pointee.session.marks.insert(.lacksRequest)
                unsafe open(receiver, at: header.acknowledgement &- 1, nil)
            }
            unsafe open(sender, header, receiver)
            unsafe flow.pointee.session.state = isAnswer ? .synReceived : .synSent
        case .synSent:
            if isAnswer {
                unsafe answer(flow, sender, receiver, header, toServer, &step)
            } else {
                unsafe ask(flow, sender, receiver, header, toServer, &step)
            }
        case .synReceived: unsafe synchroniseAgain(flow, sender, receiver, header, toServer, &step)
        case .established:
            if header.flags.contains(.fin) { return step.events.insert(.finSyn) }
            let isSame = unsafe sender.pointee.initial == header.sequence
            if isAnswer, toServer {
                step.events.insert(.estSynackToserver)
            } else if isAnswer {
                guard unsafe header.acknowledgement == receiver.pointee.initial &+ 1 else {
                    return step.events.insert(.estSynackResendWithDiffAck)
                }
                guard isSame else { return step.events.insert(.estSynackResendWithDiffSeq) }
                // Until it answers something else, it may have missed the third packet.
                let isConfirmed =
                    unsafe sender.pointee.next != sender.pointee.initial &+ 1
                    || receiver.pointee.acknowledged != receiver.pointee.initial &+ 1
                if isConfirmed { step.events.insert(.estSynackResend) }
            } else {
                step.events.insert(!toServer ? .estSynToclient : isSame ? .estSynResend : .estSynResendDiffSeq)
            }
        case .closing, .closed: step.events.insert(.shutdownSynResend)
        }
    }

    /// Another SYN, before there was an answer.
    private mutating func ask(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ toServer: Bool,
        _ step: inout FlowStep
    ) {
        let isOpen = unsafe sender.pointee.flags.contains(.isOpen)
        let isOther = unsafe !isOpen || sender.pointee.initial != header.sequence
        let isRepeated = unsafe !isOther && sender.pointee.timestamp == header.timestamp ?? 0
        if !toServer {
            unsafe flow.pointee.session.marks.insert(.isSplit)
        } else if !isRepeated {
            let count = unsafe flow.pointee.session.otherRequests
            if count >= FlowTable.mostRequests { step.events.insert(.threeWaySynFlood) }
            unsafe flow.pointee.session.otherRequests = count &+ (count == .max ? 0 : 1)
        }
        guard isOther else { return }
        // Who answers says which of several questions counts; until then the last does.
        if toServer { unsafe flow.pointee.session.other = unsafe sender.pointee.initial }
        unsafe streams.release(&sender.pointee)
        unsafe open(sender, header, receiver)
    }

    /// The first SYN with ACK.
    private mutating func answer(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ toServer: Bool,
        _ step: inout FlowStep
    ) {
        let number = header.acknowledgement
        let isOfFirst = unsafe number == receiver.pointee.initial &+ 1
        if toServer {
            guard unsafe flow.pointee.session.marks.contains(.isSplit) else {
                return step.events.insert(.threeWaySynackInWrongDirection)
            }
            guard isOfFirst else { return step.events.insert(.fourWaySynackWithWrongAck) }
            guard unsafe header.sequence == sender.pointee.initial else {
                return step.events.insert(.fourWaySynackWithWrongSyn)
            }
        } else if unsafe !isOfFirst && number != receiver.pointee.next {
            guard unsafe flow.pointee.session.otherRequests > 0 && number == flow.pointee.session.other &+ 1 else {
                return step.events.insert(.threeWaySynackWithWrongAck)
            }
            unsafe streams.release(&receiver.pointee)
            unsafe open(receiver, at: number &- 1, nil)
        }
        unsafe forgetEarlyData(receiver, header, &step)
        if unsafe !sender.pointee.flags.contains(.isOpen) { unsafe open(sender, header, receiver) }
        unsafe flow.pointee.session.state = .synReceived
    }

    /// What has a SYN after there was an answer.
    private func synchroniseAgain(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ toServer: Bool,
        _ step: inout FlowStep
    ) {
        if header.flags.contains(.fin) { return step.events.insert(.finSyn) }
        let isSame = unsafe sender.pointee.initial == header.sequence
        guard header.flags.contains(.ack) else {
            if !toServer {
                step.events.insert(.threeWaySynToclientOnSynRecv)
            } else if !isSame {
                step.events.insert(.threeWaySynResendDiffSeqOnSynRecv)
            }
            return
        }
        if toServer { return step.events.insert(.threeWaySynackToserverOnSynRecv) }
        let number = header.acknowledgement
        guard unsafe number == receiver.pointee.initial &+ 1 || number == receiver.pointee.next else {
            return step.events.insert(.threeWaySynackResendWithDiffAck)
        }
        guard !isSame else { return }
        step.events.insert(.threeWaySynackResendWithDiffSeq)
        let count = unsafe flow.pointee.session.otherAnswers
        guard unsafe count == 0 || flow.pointee.session.other != header.sequence else { return }
        if count >= FlowTable.mostAnswers { step.events.insert(.threeWaySynackFlood) }
        unsafe flow.pointee.session.otherAnswers = count &+ (count == .max ? 0 : 1)
        // Which of them counts, the client says.
        unsafe flow.pointee.session.other = header.sequence
    }

    // MARK: - The third packet

    /// Follows an acknowledgement without SYN while the handshake is under way. Returns whether it completes it.
    mutating func confirm(
        _ flow: UnsafeMutablePointer<Flow>, _ sender: UnsafeMutablePointer<TCPStream>,
        _ receiver: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader, _ packet: @_addressable Packet,
        _ step: inout FlowStep
    ) -> Bool {
        guard unsafe sender.pointee.flags.intersection(receiver.pointee.flags).contains(.isOpen) else { return false }
        let number = header.acknowledgement
        let behind = unsafe Int32(bitPattern: sender.pointee.next &- header.sequence)
        let isNext = unsafe behind >= 0 && Int32(bitPattern: header.sequence &- sender.pointee.initial) > 0
        let acknowledges = unsafe receiver.pointee.acknowledges(number)
        let marks = unsafe flow.pointee.session.marks
        if !step.toServer {
            if marks.contains(.isSplit) {
                if !isNext { step.events.insert(.fourWayWrongSeq) }
                if isNext, !acknowledges { step.events.insert(.fourWayInvalidAck) }
                return isNext && acknowledges
            }
            if marks.isDisjoint(with: [.isFast, .lacksRequest]), mode.isInline {
                // The guest's answer cannot be followed by anything before it was acknowledged.
                let isData = packet.payloadLength > 0 && isNext && acknowledges
                step.events.insert(isData ? .threeWayAckDataInject : .threeWayAckInWrongDir)
                return false
            }
            // The third packet is missing in the capture.
            if isNext, acknowledges { return true }
        } else if isNext {
            if acknowledges { return true }
            guard unsafe flow.pointee.session.otherAnswers > 0 && number == flow.pointee.session.other &+ 1 else {
                step.events.insert(.threeWayRightSeqWrongAckEvasion)
                return false
            }
            unsafe streams.release(&receiver.pointee)
            unsafe open(receiver, at: number &- 1, sender)
            return true
        } else if unsafe number == receiver.pointee.next && behind < 0
            && Int32(bitPattern: header.sequence &- sender.pointee.edge) <= 0
        {
            // It comes later than what follows it.
            return true
        }
        step.events.insert(.threeWayWrongSeqWrongAck)
        return false
    }

    // MARK: -

    /// A stream whose first byte is number `initial` + 1, and whose receiver is `peer`, if that is known.
    func open(
        _ stream: UnsafeMutablePointer<TCPStream>, at initial: UInt32, _ peer: UnsafeMutablePointer<TCPStream>?
    ) {
        var fresh = TCPStream()
        fresh.initial = initial
        fresh.next = initial &+ 1
        fresh.acknowledged = initial &+ 1
        fresh.edge = unsafe initial &+ 1 &+ (peer?.pointee.window ?? 0)
        fresh.flags = .isOpen
        unsafe stream.pointee = fresh
    }

    private func open(
        _ stream: UnsafeMutablePointer<TCPStream>, _ header: borrowing TCPHeader,
        _ peer: UnsafeMutablePointer<TCPStream>
    ) {
        unsafe open(stream, at: header.sequence, peer)
        if let scale = header.windowScale {
            unsafe stream.pointee.scale = scale
            unsafe stream.pointee.flags.insert(.hasScale)
        }
        if let timestamp = header.timestamp {
            unsafe stream.pointee.timestamp = timestamp
            unsafe stream.pointee.flags.insert(.hasTimestamps)
        }
    }
}

extension TCPStream {
    /// Whether a number acknowledges its SYN, and nothing that was not sent.
    fileprivate func acknowledges(_ number: UInt32) -> Bool {
        Int32(bitPattern: number &- initial) > 0 && Int32(bitPattern: number &- next) <= 0
    }
}
