import CVectorscan
import Evidence
import Flows
import Wire

/// Which entries a packet may match: patterns found in its payload and in what is new in its stream.
extension Matcher {
    // Kept out of line: most packets need none of these.

    /// Lets the first bytes of a flow say which application it is of: a datagram, or what a TCP stream begins with.
    @inline(never)
    mutating func recognise(
        _ packet: @_addressable Packet, _ bytes: RawSpan, _ subject: Subject, _ step: @_addressable FlowStep,
        _ flows: inout FlowTable
    ) {
        guard let flow = unsafe step.flow else { return }
        if packet.kind == .udp, subject.payloadLength > 0 {
            isTold = unsafe bytes.withUnsafeBytes { buffer in
                let start = unsafe (buffer.baseAddress! + Int(subject.payloadOffset))
                    .assumingMemoryBound(to: UInt8.self)
                let payload = unsafe ApplicationBytes(start: start, count: Int(subject.payloadLength))
                return unsafe ApplicationRecogniser.advance(
                    flow, packet, payload, toServer: step.toServer, mayGoOn: false)
            }
        } else if step.window.freshLength > 0 {
            let (start, length) = unsafe flows.contiguous(step)
            // Behind its first bytes a stream tells nothing any more.
            let isBeginning = step.window.offset == 0
            let count = isBeginning ? min(Int(length), ApplicationRecogniser.reach) : 0
            isTold = unsafe ApplicationRecogniser.advance(
                flow, packet, ApplicationBytes(start: start, count: count), toServer: step.toServer,
                mayGoOn: isBeginning)
        }
    }

    /// As many bytes of the seam between what was inspected before and what is new as a literal may reach
    /// over.
    static var seamReach: Int { Content.longestPrompt - 1 }

    /// Looks for literals in the payload, and in what is new in the stream, if that is something else.
    @inline(never)
    mutating func scan(_ searched: Searched, _ subject: Subject, _ bytes: RawSpan, _ step: @_addressable FlowStep) {
        let window = step.window
        unsafe scanPayload(searched, subject, bytes, window.isPayload ? [.packet, .stream] : .packet)
        guard window.freshLength > 0, let fresh = unsafe window.fresh else { return }
        if !window.isPayload { unsafe scan(searched, fresh, Int(window.freshLength), .stream) }
        guard window.historyLength > 0, let history = unsafe window.history else { return }
        let before = min(Int(window.historyLength), Matcher.seamReach)
        let after = min(Int(window.freshLength), Matcher.seamReach)
        unsafe seam.update(from: history + Int(window.historyLength) - before, count: before)
        unsafe (seam + before).update(from: fresh, count: after)
        // What ends before the new bytes was found when it came.
        unsafe context.pointee.seen = before
        unsafe context.pointee.seam = unsafe UnsafeBufferPointer(start: seam, count: before + after)
        unsafe scan(searched, seam, before + after, .stream)
        unsafe context.pointee.seen = 0
        if let flow = unsafe step.flow, unsafe flow.pointee.scansAgain(step.toServer) {
            unsafe scan(searched, history, Int(window.historyLength), .history)
        }
    }

    /// The same for regular expressions, which may reach over any number of bytes: all that is kept of the stream is
    /// gone over together with what is new.
    @inline(never)
    mutating func scanExpressions(
        _ searched: Searched, _ subject: Subject, _ bytes: RawSpan, _ step: @_addressable FlowStep,
        _ flows: inout FlowTable
    ) {
        let isWhole = step.window.isPayload && step.window.historyLength == 0
        unsafe scanPayload(searched, subject, bytes, isWhole ? [.packet, .stream] : .packet)
        guard step.window.freshLength > 0, !isWhole else { return }
        let (start, length) = unsafe flows.contiguous(step)
        unsafe context.pointee.seen = Int(step.window.historyLength)
        unsafe scan(searched, start, Int(length), .stream)
        unsafe context.pointee.seen = 0
    }

    private mutating func scanPayload(
        _ searched: Searched, _ subject: Subject, _ bytes: RawSpan, _ plane: CandidateSet.Plane
    ) {
        guard subject.payloadLength > 0 else { return }
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe scan(
                searched, buffer.baseAddress! + Int(subject.payloadOffset), Int(subject.payloadLength), plane)
        }
    }

    private mutating func scan(
        _ searched: Searched, _ start: UnsafeRawPointer, _ count: Int, _ plane: CandidateSet.Plane
    ) {
        unsafe context.pointee.plane = plane
        if let filter = unsafe searched.filter {
            let context = unsafe context
            unsafe filter.pointee.scan(start, count) { identifier, end in
                unsafe context.pointee.take(identifier, end)
            }
        }
        guard let database = unsafe searched.database else { return }
        let status = unsafe hs_scan(
            database, start.assumingMemoryBound(to: CChar.self), UInt32(count), 0, scratch, ScanContext.found,
            context)
        if status != HS_SUCCESS { failedScans &+= 1 }
    }

    /// Rules whose pattern was found before in this stream, but not all that they ask. Those that were remembered
    /// before a reload have other numbers now, if they are still there: the pattern is looked for again.
    @inline(never)
    mutating func recall(_ step: @_addressable FlowStep, _ flows: inout FlowTable) {
        var isStale = false
        flows.takePending(step) { number in
            if number & 0xFF00_0000 == generation {
                unsafe candidates.insert(number & 0x00FF_FFFF, .history)
            } else {
                isStale = true
            }
        }
        if isStale { flows.scanAgain(step) }
    }
}

/// What a group's patterns are looked for with.
@unsafe
struct Searched {
    let database: OpaquePointer?
    let filter: UnsafePointer<LiteralFilter>?

    /// Indices in the tables; −1 for none.
    @inline(__always)
    init(_ tables: RuleTables, _ database: Int32, _ filter: Int32) {
        unsafe self.database = database < 0 ? nil : unsafe tables.databases[Int(database)]
        unsafe self.filter = filter < 0 ? nil : unsafe tables.filters + Int(filter)
    }
}

/// Where Hyperscan's callback finds and leaves things.
@unsafe
struct ScanContext {
    let tables: RuleTables
    let candidates: CandidateSet
    var plane: CandidateSet.Plane
    /// Bytes of what is scanned that were scanned before.
    var seen = 0
    /// What is scanned, if it is a seam.
    var seam = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)

    static let found: match_event_handler = { identifier, _, end, _, context in
        unsafe context!.assumingMemoryBound(to: ScanContext.self).pointee.take(identifier, end)
        return 0
    }

    mutating func take(_ identifier: UInt32, _ end: UInt64) {
        let pattern = unsafe tables.literals + Int(identifier)
        let isNew = unsafe end > UInt64(seen) || comesAgain(pattern)
        unsafe candidates.insert(pattern.pointee.entries, of: tables.entryLists, isNew ? plane : .history)
    }

    /// Hyperscan tells the first match only. Whether there is another in the seam that is not over before the new
    /// bytes; of an expression there is no telling, and whoever confirms it looks for all.
    private func comesAgain(_ pattern: UnsafePointer<FoundPattern>) -> Bool {
        let length = unsafe Int(pattern.pointee.length)
        guard length > 0, let start = unsafe seam.baseAddress else { return false }
        let bytes = unsafe tables.patterns + Int(pattern.pointee.offset)
        var place = unsafe max(0, seen + 1 - length)
        while unsafe place < seen && place + length <= seam.count {
            var i = 0
            if unsafe pattern.pointee.ignoresCase {
                while unsafe i < length && start[place + i].lowercased == bytes[i].lowercased { i += 1 }
            } else {
                while unsafe i < length && start[place + i] == bytes[i] { i += 1 }
            }
            if i == length { return true }
            place += 1
        }
        return false
    }
}
