import Glibc

/// What is known of a stream and waits to be inspected as part of it: the pieces behind a gap or, for who only
/// listens, all that was not acknowledged.
extension FlowTable {
    /// Keeps a segment at `place`, counted from the first byte that was not inspected. Returns false if it
    /// cannot be kept, or must not.
    mutating func hold(
        _ segment: Segment, at place: Int, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) -> Bool {
        let survey = unsafe survey(segment, at: place, stream)
        if survey.differs {
            refuse(&step)
            if mode.isInline { return false }
        }
        guard survey.needed <= streams.piecesLeft else {
            step.events.insert(.reassemblyNoSegment)
            step.events.insert(.reassemblyInsertMemcap)
            noRoom(&step)
            return false
        }
        guard place + segment.length <= StreamPools.reach,
            unsafe Int(stream.pointee.heldCount) + survey.needed <= StreamPools.pieceLimit
        else {
            step.events.insert(.reassemblyInsertLimit)
            noRoom(&step)
            return false
        }
        unsafe keep(segment, at: place, stream)
        counters.held &+= 1
        return true
    }

    /// The exception: it cannot be inspected as part of its stream.
    private mutating func noRoom(_ step: inout FlowStep) {
        counters.refused &+= 1
        step.mustDrop = mode.isInline && !mode.passesExceptions
        step.isAdded = false
    }

    /// What a segment meets where it would be kept: whether bytes that are there differ, and how many pieces
    /// its others take.
    private func survey(
        _ segment: Segment, at place: Int, _ stream: UnsafeMutablePointer<TCPStream>
    ) -> (differs: Bool, needed: Int) {
        let base = unsafe stream.pointee.inspected
        let end = place + segment.length
        var position = place
        var needed = 0
        var differs = false
        var index = unsafe firstPiece(behind: place, stream).index
        while position < end {
            let piece = unsafe streams.piece(index)
            let start = index == 0 ? end : unsafe Int(Int32(bitPattern: piece.pointee.sequence &- base))
            if start > position {
                let upTo = min(end, start)
                needed += (upTo - position + StreamPools.pieceSize - 1) / StreamPools.pieceSize
                position = upTo
            } else {
                let upTo = unsafe min(end, start + Int(piece.pointee.length))
                if upTo > position {
                    let known = unsafe streams.bytes(ofPiece: index) + position - start
                    if unsafe memcmp(known, segment.bytes + position - place, upTo - position) != 0 { differs = true }
                    position = upTo
                }
                index = unsafe piece.pointee.next
            }
        }
        return (differs, needed)
    }

    /// The first piece that ends behind `place`, and the one before it; 0 for none.
    private func firstPiece(
        behind place: Int, _ stream: UnsafeMutablePointer<TCPStream>
    ) -> (before: UInt32, index: UInt32) {
        let base = unsafe stream.pointee.inspected
        let last = unsafe stream.pointee.lastHeld
        // Most come in order.
        if last != 0, unsafe Int(Int32(bitPattern: streams.piece(last).pointee.end &- base)) <= place {
            return (last, 0)
        }
        var before: UInt32 = 0
        var index = unsafe stream.pointee.held
        while index != 0, unsafe Int(Int32(bitPattern: streams.piece(index).pointee.end &- base)) <= place {
            before = index
            index = unsafe streams.piece(index).pointee.next
        }
        return (before, index)
    }

    /// Fills what is missing with the segment's bytes; where there are others, the policy says which stay.
    private mutating func keep(_ segment: Segment, at place: Int, _ stream: UnsafeMutablePointer<TCPStream>) {
        let base = unsafe stream.pointee.inspected
        let end = place + segment.length
        var position = place
        var (before, index) = unsafe firstPiece(behind: place, stream)
        while position < end {
            let piece = unsafe streams.piece(index)
            let start = index == 0 ? end : unsafe Int(Int32(bitPattern: piece.pointee.sequence &- base))
            if start > position {
                let upTo = min(end, start)
                while position < upTo {
                    let length = min(upTo - position, StreamPools.pieceSize)
                    before = unsafe insert(segment, position - place, length, behind: before, stream)
                    position += length
                }
            } else {
                let upTo = unsafe min(end, start + Int(piece.pointee.length))
                if upTo > position {
                    let from = unsafe Int(Int32(bitPattern: segment.sequence &- piece.pointee.segmentStart))
                    let size = unsafe Int(piece.pointee.segmentEnd &- piece.pointee.segmentStart)
                    if !mode.isInline, mode.overlap.replaces(from, from + segment.length, end: size) {
                        unsafe memcpy(
                            streams.bytes(ofPiece: index) + position - start, segment.bytes + position - place,
                            upTo - position)
                    }
                    position = upTo
                }
                before = index
                index = unsafe piece.pointee.next
            }
        }
    }

    /// A new piece with `length` bytes of the segment from `offset` on, behind piece `before`.
    private mutating func insert(
        _ segment: Segment, _ offset: Int, _ length: Int, behind before: UInt32,
        _ stream: UnsafeMutablePointer<TCPStream>
    ) -> UInt32 {
        let index = streams.takePiece()
        let next = before == 0 ? unsafe stream.pointee.held : unsafe streams.piece(before).pointee.next
        unsafe streams.piece(index).initialize(
            to: StreamPools.Piece(
                sequence: segment.sequence &+ UInt32(offset), length: UInt32(length), next: next,
                segmentStart: segment.sequence, segmentEnd: segment.sequence &+ UInt32(segment.length)))
        unsafe memcpy(streams.bytes(ofPiece: index), segment.bytes + offset, length)
        if before == 0 {
            unsafe stream.pointee.held = index
        } else {
            unsafe streams.piece(before).pointee.next = index
        }
        if next == 0 { unsafe stream.pointee.lastHeld = index }
        unsafe stream.pointee.heldCount += 1
        return index
    }

    private mutating func dropFirst(_ stream: UnsafeMutablePointer<TCPStream>) {
        let index = unsafe stream.pointee.held
        unsafe stream.pointee.held = unsafe streams.piece(index).pointee.next
        if unsafe stream.pointee.held == 0 { unsafe stream.pointee.lastHeld = 0 }
        unsafe stream.pointee.heldCount -= 1
        streams.releasePiece(index)
    }

    // MARK: - Inline

    /// A segment that waits is looked at with what waits before and behind it: its receiver may not have the
    /// whole, but it has this.
    mutating func lookAround(
        _ segment: Segment, at place: Int, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) {
        let limit = StreamWindow.historyLimit
        let base = unsafe stream.pointee.inspected
        let low = place - limit
        let end = place + segment.length
        var index = unsafe firstPiece(behind: low, stream).index
        // Where what hangs together with the segment begins, and how far it goes.
        var begin = place
        var reached = -1
        while index != 0 {
            let piece = unsafe streams.piece(index)
            let start = unsafe Int(Int32(bitPattern: piece.pointee.sequence &- base))
            if start != reached {
                if start > place { break }
                begin = start
            }
            let from = max(start, low)
            let upTo = unsafe min(start + Int(piece.pointee.length), end + limit)
            if from < upTo {
                unsafe memcpy(
                    streams.assembly + from - place, streams.bytes(ofPiece: index) + from - start, upTo - from)
            }
            reached = unsafe start + Int(piece.pointee.length)
            if reached >= end + limit { break }
            index = unsafe piece.pointee.next
        }
        let before = place - max(begin, low)
        let after = max(0, min(reached, end + limit) - end)
        unsafe step.window.history = unsafe UnsafePointer(streams.assembly - before)
        step.window.historyLength = Int32(before)
        unsafe step.window.fresh = unsafe UnsafePointer(streams.assembly)
        step.window.freshLength = Int32(segment.length + after)
        step.window.isPayload = after == 0
        step.window.offset = unsafe stream.pointee.offset &+ UInt64(place - before)
    }

    /// What comes next, where others wait behind it: it goes on with those that it reaches.
    mutating func closeGap(
        _ segment: Segment, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) {
        guard unsafe !survey(segment, at: 0, stream).differs else { return refuse(&step) }
        unsafe memcpy(streams.assembly, segment.bytes, segment.length)
        let total = unsafe collect(stream, from: segment.length, upTo: .max)
        unsafe advance(stream, streams.assembly, total, &step)
    }

    /// Puts what waits and hangs together with the `count` bytes that are in the assembly behind them, up to
    /// byte `limit`, and gives it back to the pool. Returns how many bytes it is now.
    private mutating func collect(
        _ stream: UnsafeMutablePointer<TCPStream>, from count: Int, upTo limit: Int
    ) -> Int {
        let base = unsafe stream.pointee.inspected
        var total = count
        while unsafe stream.pointee.held != 0, total < limit {
            let index = unsafe stream.pointee.held
            let piece = unsafe streams.piece(index)
            let start = unsafe Int(Int32(bitPattern: piece.pointee.sequence &- base))
            guard start <= total else { break }
            let end = unsafe start + Int(piece.pointee.length)
            let upTo = min(end, limit)
            let bytes = unsafe streams.bytes(ofPiece: index)
            if upTo > total {
                unsafe memcpy(streams.assembly + total, bytes + total - start, upTo - total)
                total = upTo
            }
            if upTo < end {
                unsafe memmove(bytes, bytes + upTo - start, end - upTo)
                unsafe piece.pointee.sequence = base &+ UInt32(upTo)
                unsafe piece.pointee.length = UInt32(end - upTo)
                break
            }
            unsafe dropFirst(stream)
        }
        return total
    }

    // MARK: - Listening

    /// Keeps a segment until it is acknowledged. If that would be too much, nobody acknowledges what is sent, or
    /// the capture does not have it: what there is is given now.
    mutating func listen(_ segment: Segment, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep) {
        var segment = segment
        var place = unsafe Int(Int32(bitPattern: segment.sequence &- stream.pointee.inspected))
        let needed = segment.length / StreamPools.pieceSize + 2
        let held = unsafe Int(stream.pointee.heldCount)
        let isFull =
            place + segment.length > StreamPools.reach || needed > streams.piecesLeft
            || held + needed > StreamPools.pieceLimit
        if isFull {
            step.isEnd = true
            _ = nextWindow(&step)
            step.isEnd = false
            place = unsafe Int(Int32(bitPattern: segment.sequence &- stream.pointee.inspected))
            guard place + segment.length > 0 else { return }
            segment = segment.dropping(max(0, -place))
        }
        _ = unsafe hold(segment, at: max(0, place), stream, &step)
    }

    /// Whether what was acknowledged is worth a look: a chunk of it, or no more is to come (Suricata's
    /// StreamTcpReassembleRawCheckLimit).
    mutating func isReady(_ step: @_addressable FlowStep) -> Bool {
        guard let flow = unsafe step.flow else { return false }
        let stream = unsafe stream(of: flow, step.toServer)
        guard unsafe stream.pointee.held != 0 else { return false }
        // Who closed first does not matter to who is read: what the client says last is read at once.
        if unsafe flow.pointee.session.state == .closed || flow.pointee.session.client.flags.contains(.hasFinished) {
            return true
        }
        let waiting = unsafe Int32(bitPattern: stream.pointee.acknowledged &- stream.pointee.inspected)
        return waiting >= Int32(StreamWindow.historyLimit)
    }

    /// Puts another reading of the step's window into it (`UrgentData`) or, listening only, the next part of its
    /// stream, up to what was acknowledged or, at the end, all. Returns false when there is none.
    public mutating func nextWindow(_ step: inout FlowStep) -> Bool {
        if nextReading(&step) { return true }
        step.window = StreamWindow()
        step.hasMore = false
        step.reading = 0
        step.readings = 0
        guard !mode.isInline, let flow = unsafe step.flow else { return false }
        let stream = unsafe stream(of: flow, step.toServer)
        guard unsafe stream.pointee.held != 0 else { return false }
        var limit = StreamPools.reach
        if !step.isEnd {
            limit = unsafe min(limit, Int(Int32(bitPattern: stream.pointee.acknowledged &- stream.pointee.inspected)))
        }
        let first = unsafe streams.piece(stream.pointee.held).pointee.sequence
        let missing = unsafe Int(Int32(bitPattern: first &- stream.pointee.inspected))
        guard missing < limit else { return false }
        if missing > 0 {
            let events = step.events
            unsafe skip(missing, stream, &step)
            // At the end nobody can tell what was lost from what was never sent.
            if step.isEnd { step.events = events }
        }
        let count = unsafe collect(stream, from: 0, upTo: limit - max(0, missing))
        guard count > 0 else { return false }
        unsafe advance(stream, streams.assembly, count, &step)
        step.hasMore = true
        if unsafe streams.hasMarks(stream.pointee.history) { unsafe offerReadings(stream, &step) }
        return true
    }
}
