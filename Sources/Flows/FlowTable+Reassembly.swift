import Glibc
import Wire

/// A segment's payload: where it stands in its stream, and its bytes.
@safe
struct Segment {
    var sequence: UInt32
    var bytes: UnsafePointer<UInt8>
    var length: Int

    /// What is left of it without its first `count` bytes.
    func dropping(_ count: Int) -> Segment {
        unsafe Segment(sequence: sequence &+ UInt32(count), bytes: bytes + count, length: length - count)
    }
}

extension FlowTable {
    /// Takes a segment into its stream. Inline, what was seen first is the stream: bytes that differ from what
    /// is known at their place are refused; and what the segment adds is in `step.window`, with what it
    /// continues. Who listens only keeps it, until it is known to have arrived (`nextWindow`).
    mutating func add(
        _ segment: Segment, to stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) {
        if mode.isInline { unsafe passOverGap(stream, &step) }
        let place = unsafe Int(Int32(bitPattern: segment.sequence &- stream.pointee.inspected))
        guard place + segment.length > 0 else { return unsafe repeated(segment, place, stream, &step) }
        var fresh = segment
        if place < 0 {
            if unsafe !agrees(segment, place, count: -place, stream) {
                refuse(&step)
                if mode.isInline { return }
            }
            fresh = segment.dropping(-place)
        }
        step.isAdded = true
        if !mode.isInline {
            unsafe listen(fresh, stream, &step)
        } else if place > 0 {
            guard unsafe hold(fresh, at: place, stream, &step) else { return }
            unsafe lookAround(fresh, at: place, stream, &step)
        } else if unsafe stream.pointee.held == 0 {
            unsafe advance(stream, fresh.bytes, fresh.length, &step)
            step.window.isPayload = place == 0
        } else {
            unsafe closeGap(fresh, stream, &step)
        }
    }

    /// It contradicts what is known.
    mutating func refuse(_ step: inout FlowStep) {
        counters.contradictions &+= 1
        step.events.insert(.reassemblyOverlapDifferentData)
        guard mode.isInline else {
            step.isAdded = true
            return
        }
        step.mustDrop = true
        // Its own bytes are looked at all the same, as a packet.
        step.isAdded = false
    }

    /// What the other side acknowledged and nobody saw will not come any more.
    private mutating func passOverGap(_ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep) {
        let missing = unsafe Int(Int32(bitPattern: stream.pointee.acknowledged &- stream.pointee.inspected))
        guard missing > 0 else { return }
        var skipped = missing
        let first = unsafe stream.pointee.held
        if first != 0 {
            let place = unsafe Int(Int32(bitPattern: streams.piece(first).pointee.sequence &- stream.pointee.inspected))
            skipped = min(missing, place)
        }
        guard skipped > 0 else { return }
        unsafe skip(skipped, stream, &step)
    }

    /// Goes on behind `count` bytes that are missing.
    mutating func skip(_ count: Int, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep) {
        step.events.insert(.reassemblySeqGap)
        counters.gaps &+= 1
        unsafe stream.pointee.offset &+= UInt64(count)
        if unsafe stream.pointee.history == 0, unsafe streams.takeHistory(stream) { counters.historiesLost &+= 1 }
        unsafe streams.breakOff(stream.pointee.history, missing: UInt32(count))
    }

    // MARK: - What was seen before

    /// Whether the first `count` bytes of a segment at `place`, which is negative, are what the history has
    /// there, as far as it goes back. What the receiver acknowledged it has, whatever is sent again: a
    /// keep-alive probe is one byte of anything.
    private mutating func agrees(
        _ segment: Segment, _ place: Int, count: Int, _ stream: UnsafeMutablePointer<TCPStream>
    ) -> Bool {
        let block = unsafe stream.pointee.history
        guard block != 0 else { return true }
        let known = unsafe streams.history(block).pointee.unbroken
        let delivered = unsafe Int(Int32(bitPattern: stream.pointee.acknowledged &- segment.sequence))
        let skipped = max(0, -place - known, mode.isInline ? delivered : 0)
        guard skipped < count else { return true }
        let end = unsafe streams.bytes(ofHistory: block) + Int(streams.history(block).pointee.count)
        return unsafe memcmp(end + place + skipped, segment.bytes + skipped, count - skipped) == 0
    }

    /// A segment with nothing new. Inline it is looked at again where it stands, so that what a rule drops
    /// stays dropped however often it is sent.
    private mutating func repeated(
        _ segment: Segment, _ place: Int, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) {
        guard unsafe agrees(segment, place, count: segment.length, stream) else { return refuse(&step) }
        let end = segment.sequence &+ UInt32(segment.length)
        let isDelivered = unsafe Int32(bitPattern: stream.pointee.acknowledged &- end) >= 0
        step.isAdded = true
        guard mode.isInline, !isDelivered else { return }
        let block = unsafe stream.pointee.history
        let known = block == 0 ? 0 : unsafe streams.history(block).pointee.unbroken
        guard -place <= known else {
            // What it was the first time nobody knows any more: it is looked at by itself.
            step.isAdded = false
            counters.unverified &+= 1
            return
        }
        let start = known + place
        let before = min(start, StreamWindow.historyLimit)
        let bytes = unsafe streams.bytes(ofHistory: block) + Int(streams.history(block).pointee.beforeGap)
        unsafe step.window.history = unsafe UnsafePointer(bytes + start - before)
        step.window.historyLength = Int32(before)
        unsafe step.window.fresh = unsafe UnsafePointer(bytes + start)
        step.window.freshLength = Int32(segment.length)
        step.window.offset = unsafe stream.pointee.offset &- UInt64(known - start + before)
    }

    // MARK: - What comes next

    /// The bytes that follow what was inspected: they become the window, and then history.
    mutating func advance(
        _ stream: UnsafeMutablePointer<TCPStream>, _ bytes: UnsafePointer<UInt8>, _ length: Int, _ step: inout FlowStep
    ) {
        if unsafe stream.pointee.history == 0, unsafe streams.takeHistory(stream) { counters.historiesLost &+= 1 }
        let block = unsafe stream.pointee.history
        let history = unsafe streams.history(block)
        let limit = StreamWindow.historyLimit
        streams.makeRoom(block, for: length)
        let start = unsafe streams.bytes(ofHistory: block)
        let known = unsafe Int(history.pointee.count)
        let before = unsafe min(history.pointee.unbroken, limit)
        step.window.historyLength = Int32(before)
        step.window.freshLength = Int32(length)
        unsafe step.window.fresh = unsafe bytes
        step.window.offset = unsafe stream.pointee.offset &- UInt64(before)
        if known + length <= StreamPools.historySize {
            unsafe step.window.history = unsafe UnsafePointer(start + known - before)
            unsafe memcpy(start + known, bytes, length)
            unsafe history.pointee.count = Int32(known + length)
        } else {
            // More than the block holds: what was there is kept aside for this packet.
            let aside = unsafe streams.assembly - before
            unsafe memcpy(aside, start + known - before, before)
            unsafe step.window.history = unsafe UnsafePointer(aside)
            let kept = min(length, StreamPools.historySize)
            unsafe memcpy(start, bytes + length - kept, kept)
            unsafe history.pointee.count = Int32(kept)
            unsafe history.pointee.beforeGap = 0
            unsafe history.pointee.missing = 0
        }
        unsafe stream.pointee.offset &+= UInt64(length)
    }

    /// History and fresh bytes of a step's window in one piece, valid until the next packet.
    public mutating func contiguous(_ step: @_addressable FlowStep) -> (UnsafePointer<UInt8>, Int32) {
        let window = step.window
        let before = max(0, Int(window.historyLength))
        let length = max(0, Int(window.freshLength))
        guard let fresh = unsafe window.fresh else { return unsafe (UnsafePointer(streams.assembly), 0) }
        guard before > 0, let history = unsafe window.history else { return unsafe (fresh, Int32(length)) }
        if unsafe history + before == fresh { return unsafe (history, Int32(before + length)) }
        let aside = unsafe streams.assembly - before
        if unsafe UnsafePointer(aside) != history { unsafe memcpy(aside, history, before) }
        if unsafe UnsafePointer(streams.assembly) != fresh { unsafe memcpy(streams.assembly, fresh, length) }
        return unsafe (UnsafePointer(aside), Int32(before + length))
    }

    /// What is kept of a stream as it was inspected: up to two runs of bytes, and how many are missing in front
    /// of the second. Valid until the table's next call.
    public func kept(
        _ flow: UnsafeMutablePointer<Flow>, toServer: Bool
    ) -> (first: UnsafeRawBufferPointer, missing: UInt32, second: UnsafeRawBufferPointer) {
        let block = unsafe stream(of: flow, toServer).pointee.history
        let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        guard block != 0 else { return unsafe (nothing, 0, nothing) }
        let history = unsafe streams.history(block)
        let start = unsafe streams.bytes(ofHistory: block)
        let before = unsafe Int(history.pointee.beforeGap)
        return unsafe (
            UnsafeRawBufferPointer(start: start, count: before), history.pointee.missing,
            UnsafeRawBufferPointer(start: start + before, count: history.pointee.unbroken)
        )
    }
}
