import Glibc
import Wire

/// What receivers read of a stream some of whose bytes are urgent. The stream itself is that of the wire, in which
/// they have a number like all others; what a receiver has without some of them is another reading of the same window.
extension FlowTable {
    /// Takes note of the byte that a segment calls urgent. A pointer of 0 is read as 1, as Linux does. Returns false
    /// for a segment that is refused, because as many as can be told apart were called so not far before it.
    @inline(never)
    mutating func heed(
        urgent header: borrowing TCPHeader, _ sender: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) -> Bool {
        guard unsafe sender.pointee.flags.contains(.isOpen) else { return true }
        let number = header.sequence &+ UInt32(max(1, header.urgentPointer)) &- 1
        // What was acknowledged is not called urgent any more (tcp_check_urg).
        guard unsafe Int32(bitPattern: number &- sender.pointee.acknowledged) >= 0 else { return true }
        if unsafe sender.pointee.history == 0, unsafe streams.takeHistory(sender) { counters.historiesLost &+= 1 }
        let block = unsafe sender.pointee.history
        unsafe streams.forgetMarks(block, before: sender.pointee.inspected &- UInt32(StreamWindow.historyLimit))
        if streams.isMarked(block, number) { return true }
        if !streams.hasRoomForMark(block) {
            step.events.insert(.reassemblyUrgentOobLimitReached)
            if mode.isInline, !mode.passesExceptions {
                counters.refused &+= 1
                step.mustDrop = true
                return false
            }
            // The first of them is inspected in its place.
            streams.forgetFirstMark(block)
        }
        streams.mark(block, number)
        step.marks = true
        reading.newest = number
        return true
    }

    /// Inline and by `UrgentData.drop`: nothing of it counts.
    func refuseUrgent(_ step: inout FlowStep) { step.mustDrop = true }

    /// Has what follows from the urgent bytes in the step's window inspected as well. One that was called so only
    /// now, though it is inspected, changes what stands behind it: that is read again.
    @inline(never)
    mutating func offerReadings(_ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep) {
        let block = unsafe stream.pointee.history
        guard block != 0 else { return }
        let history = unsafe streams.history(block)
        let window = step.window
        let isLate = unsafe step.marks && Int32(bitPattern: reading.newest &- stream.pointee.inspected) < 0
        if isLate {
            let unbroken = unsafe history.pointee.unbroken
            let end = window.offset &+ UInt64(max(0, window.historyLength + window.freshLength))
            let fresh = unsafe end == stream.pointee.offset ? max(0, Int(window.freshLength)) : 0
            unsafe reading.bytes = unsafe UnsafePointer(
                streams.bytes(ofHistory: block) + Int(history.pointee.beforeGap))
            reading.length = unbroken
            reading.fresh = max(0, unbroken - fresh)
            reading.offset = unsafe stream.pointee.offset &- UInt64(unbroken)
        } else {
            guard window.freshLength > 0 else { return }
            let (bytes, length) = unsafe contiguous(step)
            unsafe reading.bytes = unsafe bytes
            reading.length = Int(length)
            reading.fresh = Int(window.historyLength)
            reading.offset = window.offset
        }
        let start = unsafe stream.pointee.initial &+ 1 &+ UInt32(truncatingIfNeeded: reading.offset)
        let lowest = unsafe stream.pointee.inspected &- UInt32(StreamWindow.historyLimit)
        streams.forgetMarks(block, before: Int32(bitPattern: start &- lowest) < 0 ? start : lowest)
        reading.count = 0
        reading.late = 0
        let marks = unsafe Int(history.pointee.markCount)
        for i in 0..<marks {
            let number = unsafe history.pointee.marks[i]
            let place = Int(Int32(bitPattern: number &- start))
            guard place >= 0, place < reading.length else { continue }
            if isLate, number == reading.newest { reading.late = 1 << UInt8(reading.count) }
            reading.places[reading.count] = place
            reading.count += 1
        }
        guard reading.count > 0 else { return }
        step.readings = (1 << UInt8(reading.count)) - 1
        step.hasMore = true
        guard mode.urgent == .oob else { return }
        step.reading = step.readings - 1
        if !nextReading(&step) { step.window = StreamWindow() }
        step.reading = 0
        step.readings = 0
        step.hasMore = !mode.isInline
    }

    /// Puts the next reading of the step's window into it: each has another set of the urgent bytes taken out.
    /// Returns false when there is none.
    mutating func nextReading(_ step: inout FlowStep) -> Bool {
        guard let bytes = unsafe reading.bytes else { return false }
        while step.reading < step.readings {
            step.reading += 1
            let target = unsafe streams.readings
            var fresh = reading.fresh
            if step.reading & reading.late != 0 {
                fresh = min(fresh, reading.places[reading.late.trailingZeroBitCount])
            }
            let split = fresh
            var (length, from) = (0, 0)
            for i in 0...reading.count {
                let isEnd = i == reading.count
                guard isEnd || step.reading >> UInt8(i) & 1 != 0 else { continue }
                let place = isEnd ? reading.length : reading.places[i]
                unsafe memcpy(target + length, bytes + from, place - from)
                length += place - from
                from = place + 1
                if !isEnd, place < split { fresh -= 1 }
            }
            guard length > fresh else { continue }
            let before = min(fresh, StreamWindow.historyLimit)
            step.window = StreamWindow()
            unsafe step.window.history = unsafe UnsafePointer(target + fresh - before)
            step.window.historyLength = Int32(before)
            unsafe step.window.fresh = unsafe UnsafePointer(target + fresh)
            step.window.freshLength = Int32(length - fresh)
            step.window.offset = reading.offset &+ UInt64(fresh - before)
            return true
        }
        return false
    }
}

/// What the readings of a window are made from.
@safe
struct UrgentReading {
    var bytes: UnsafePointer<UInt8>?
    var length = 0
    /// Those of `bytes` that were inspected before.
    var fresh = 0
    /// Bytes of the stream before `bytes`.
    var offset: UInt64 = 0
    /// Where in `bytes` the urgent ones are.
    var count = 0
    var places = InlineArray<4, Int>(repeating: 0)
    /// The byte that was called urgent last, and its bit in a reading's number if it was inspected before.
    var newest: UInt32 = 0
    var late: UInt8 = 0

    init() { unsafe bytes = nil }
}
