import Glibc
import Wire

/// A segment's payload: where it stands in its stream, and its bytes.
@safe
struct Segment {
    var sequence: UInt32
    var bytes: UnsafePointer<UInt8>
    var length: Int
}

extension FlowTable {
    /// Takes a segment into its stream. What was seen first is the stream: bytes that differ from what is
    /// known at their place are refused. In `step.window` is what became contiguous and was not inspected
    /// before.
    mutating func add(
        _ segment: Segment, to stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) {
        unsafe passOverGap(stream, &step)
        let place = unsafe Int(Int32(bitPattern: segment.sequence &- stream.pointee.inspected))
        guard place + segment.length > 0 else { return unsafe repeated(segment, place, stream, &step) }
        var fresh = segment
        if place < 0 {
            guard unsafe agrees(segment, place, count: -place, stream) else { return refuse(&step) }
            unsafe fresh.bytes += -place
            fresh.length += place
        }
        step.isAdded = true
        if place <= 0, unsafe stream.pointee.held == 0 {
            unsafe advance(stream, fresh.bytes, fresh.length, &step)
            step.window.isPayload = place == 0
            return
        }
        guard unsafe hold(fresh, at: max(0, place), stream, &step) else { return }
        unsafe drain(stream, &step)
    }

    /// It contradicts what is known.
    private mutating func refuse(_ step: inout FlowStep) {
        counters.contradictions &+= 1
        step.events.insert(.reassemblyOverlapDifferentData)
        step.mustDrop = mode.isInline
        // Its own bytes are looked at all the same, as a packet.
        step.isAdded = false
    }

    /// What the other side acknowledged and nobody saw will not come any more.
    private mutating func passOverGap(_ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep) {
        let missing = unsafe Int(Int32(bitPattern: stream.pointee.acknowledged &- stream.pointee.inspected))
        guard missing > 0 else { return }
        var skipped = missing
        let held = unsafe stream.pointee.held
        if held != 0 {
            let waiting = unsafe streams.waiting(held)
            skipped = unsafe min(missing, Int(waiting.pointee.islands[0].start))
            unsafe waiting.pointee.shift(by: Int32(skipped))
        }
        guard skipped > 0 else { return }
        step.events.insert(.reassemblySeqGap)
        unsafe stream.pointee.inspected &+= UInt32(skipped)
        unsafe stream.pointee.offset &+= UInt64(skipped)
        unsafe streams.releaseHistory(&stream.pointee)
    }

    // MARK: - What was seen before

    /// Whether the first `count` bytes of a segment at `place`, which is negative, are what the history has
    /// there, as far as it goes back.
    private func agrees(
        _ segment: Segment, _ place: Int, count: Int, _ stream: UnsafeMutablePointer<TCPStream>
    ) -> Bool {
        let block = unsafe stream.pointee.history
        guard block != 0 else { return true }
        let known = unsafe Int(streams.history(block).pointee.count)
        let skipped = max(0, -place - known)
        guard skipped < count else { return true }
        let start = unsafe streams.bytes(ofHistory: block) + known + place + skipped
        return unsafe memcmp(start, segment.bytes + skipped, count - skipped) == 0
    }

    /// A segment with nothing new. It is looked at again where it stands, so that what a rule drops stays
    /// dropped however often it is sent.
    private mutating func repeated(
        _ segment: Segment, _ place: Int, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) {
        guard unsafe agrees(segment, place, count: segment.length, stream) else { return refuse(&step) }
        let block = unsafe stream.pointee.history
        let known = block == 0 ? 0 : unsafe Int(streams.history(block).pointee.count)
        guard -place <= known else {
            // The guest ignores what it acknowledged. What it did not may be something else now: nobody knows,
            // and it is looked at by itself.
            let end = segment.sequence &+ UInt32(segment.length)
            step.isAdded = unsafe Int32(bitPattern: stream.pointee.acknowledged &- end) >= 0
            if !step.isAdded { counters.unverified &+= 1 }
            return
        }
        step.isAdded = true
        let start = known + place
        let before = min(start, StreamWindow.historyLimit)
        let bytes = unsafe streams.bytes(ofHistory: block)
        unsafe step.window.history = unsafe UnsafePointer(bytes + start - before)
        step.window.historyLength = Int32(before)
        unsafe step.window.fresh = unsafe UnsafePointer(bytes + start)
        step.window.freshLength = Int32(segment.length)
        step.window.offset = unsafe stream.pointee.offset &- UInt64(known - start + before)
    }

    // MARK: - What comes next

    /// The bytes that follow what was inspected: they become the window, and then history.
    private mutating func advance(
        _ stream: UnsafeMutablePointer<TCPStream>, _ bytes: UnsafePointer<UInt8>, _ length: Int, _ step: inout FlowStep
    ) {
        if unsafe stream.pointee.history == 0, unsafe streams.takeHistory(stream) { counters.historiesLost &+= 1 }
        let block = unsafe stream.pointee.history
        let history = unsafe streams.history(block)
        let limit = StreamWindow.historyLimit
        streams.makeRoom(block, for: length)
        let start = unsafe streams.bytes(ofHistory: block)
        let known = unsafe Int(history.pointee.count)
        let before = min(known, limit)
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
            unsafe memcpy(streams.saved, start + known - before, before)
            unsafe step.window.history = unsafe UnsafePointer(streams.saved)
            let kept = min(length, limit)
            unsafe memcpy(start, bytes + length - kept, kept)
            unsafe history.pointee.count = Int32(kept)
        }
        unsafe stream.pointee.inspected &+= UInt32(length)
        unsafe stream.pointee.offset &+= UInt64(length)
    }

    /// History and fresh bytes of a step's window in one piece, valid until the next packet.
    public func contiguous(_ step: FlowStep) -> (UnsafePointer<UInt8>, Int32) {
        let window = step.window
        let before = max(0, Int(window.historyLength))
        let length = max(0, Int(window.freshLength))
        guard let fresh = unsafe window.fresh else { return unsafe (UnsafePointer(streams.assembly), 0) }
        guard before > 0, let history = unsafe window.history else { return unsafe (fresh, Int32(length)) }
        if unsafe history + before == fresh { return unsafe (history, Int32(before + length)) }
        let total = min(before + length, StreamPools.assemblySize)
        unsafe memcpy(streams.assembly, history, before)
        unsafe memcpy(streams.assembly + before, fresh, total - before)
        return unsafe (UnsafePointer(streams.assembly), Int32(total))
    }

    // MARK: - What waits behind a gap

    /// Keeps a segment at `place`, counted from the first byte that was not inspected. Returns false if it
    /// cannot be kept, or must not.
    private mutating func hold(
        _ segment: Segment, at place: Int, _ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep
    ) -> Bool {
        if unsafe stream.pointee.held == 0 { unsafe stream.pointee.held = streams.takeWaiting() }
        let block = unsafe stream.pointee.held
        let end = place + segment.length
        guard block != 0, end <= StreamPools.waitingSize else { return unsafe noRoom(stream, &step) }
        let waiting = unsafe streams.waiting(block)
        let bytes = unsafe streams.bytes(ofWaiting: block)
        if unsafe waiting.pointee.begin + Int32(end) > Int32(StreamPools.waitingSize) {
            // What was drained leaves its room.
            let last = unsafe waiting.pointee.last
            unsafe memmove(bytes, bytes + Int(waiting.pointee.begin), Int(last))
            unsafe waiting.pointee.begin = 0
        }
        let base = unsafe bytes + Int(waiting.pointee.begin)
        for i in 0..<Int(unsafe waiting.pointee.islandCount) {
            let island = unsafe waiting.pointee.islands[i]
            let low = max(place, Int(island.start))
            let high = min(end, Int(island.end))
            if low < high, unsafe memcmp(base + low, segment.bytes + (low - place), high - low) != 0 {
                refuse(&step)
                return false
            }
        }
        guard unsafe waiting.pointee.insert(Int32(place), Int32(end)) else { return unsafe noRoom(stream, &step) }
        unsafe memcpy(base + place, segment.bytes, segment.length)
        counters.held &+= 1
        return true
    }

    private mutating func noRoom(_ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep) -> Bool {
        if unsafe stream.pointee.held != 0, unsafe streams.waiting(stream.pointee.held).pointee.islandCount == 0 {
            unsafe streams.releaseWaiting(stream.pointee.held)
            unsafe stream.pointee.held = 0
        }
        counters.refused &+= 1
        step.events.insert(.reassemblyInsertMemcap)
        step.mustDrop = mode.isInline
        step.isAdded = false
        return false
    }

    /// Gives what waits and has become contiguous.
    private mutating func drain(_ stream: UnsafeMutablePointer<TCPStream>, _ step: inout FlowStep) {
        let block = unsafe stream.pointee.held
        let waiting = unsafe streams.waiting(block)
        guard unsafe waiting.pointee.islandCount > 0, unsafe waiting.pointee.islands[0].start == 0 else { return }
        let length = unsafe Int(waiting.pointee.islands[0].end)
        let bytes = unsafe streams.bytes(ofWaiting: block) + Int(waiting.pointee.begin)
        unsafe advance(stream, bytes, length, &step)
        unsafe waiting.pointee.removeFirst()
        unsafe waiting.pointee.shift(by: Int32(length))
        unsafe waiting.pointee.begin += Int32(length)
        if unsafe waiting.pointee.islandCount == 0 {
            // The bytes stay where they are until the next packet.
            streams.releaseWaiting(block)
            unsafe stream.pointee.held = 0
        }
    }
}

extension StreamPools.Waiting {
    /// Behind the last byte that waits.
    var last: Int32 { islandCount == 0 ? 0 : islands[Int(islandCount) - 1].end }

    mutating func shift(by count: Int32) {
        for i in 0..<Int(islandCount) {
            islands[i].start = max(0, islands[i].start - count)
            islands[i].end = max(0, islands[i].end - count)
        }
    }

    mutating func removeFirst() {
        guard islandCount > 0 else { return }
        for i in 1..<max(1, Int(islandCount)) { islands[i - 1] = islands[i] }
        islandCount -= 1
    }

    /// Adds a range, joined with those that it touches. Returns false if there are too many.
    mutating func insert(_ start: Int32, _ end: Int32) -> Bool {
        var merged = StreamPools.Island(start: start, end: end)
        var kept = islands
        var count = 0
        var isPlaced = false
        for i in 0..<Int(islandCount) {
            let island = islands[i]
            if island.end < merged.start {
                kept[count] = island
                count += 1
            } else if island.start > merged.end {
                if !isPlaced {
                    guard count < StreamPools.islandLimit else { return false }
                    kept[count] = merged
                    count += 1
                    isPlaced = true
                }
                guard count < StreamPools.islandLimit else { return false }
                kept[count] = island
                count += 1
            } else {
                merged.start = min(merged.start, island.start)
                merged.end = max(merged.end, island.end)
            }
        }
        if !isPlaced {
            guard count < StreamPools.islandLimit else { return false }
            kept[count] = merged
            count += 1
        }
        islands = kept
        islandCount = Int32(count)
        return true
    }
}
