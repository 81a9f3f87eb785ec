import CVectorscan
public import Evidence
public import Flows
public import Wire

/// Matches packets against a rule set: one for each worker thread, which alone uses it. Allocates nothing
/// once made.
///
/// A packet is looked up by protocol, port and address. If no rule names its ports, that is all. Else its
/// payload, and what is new in its stream, are scanned for the patterns of the rules that do, and each rule
/// that is prompted so, or that has no pattern, is confirmed.
@safe
public struct Matcher: ~Copyable {
    private let rules: RuleSet
    let tables: RuleTables
    private let candidates: CandidateSet
    /// What Hyperscan's callback is handed.
    private let context: UnsafeMutablePointer<ScanContext>
    let memory: ConfirmMemory
    private let seam: UnsafeMutablePointer<UInt8>
    private let scratch: OpaquePointer?
    private let hostBits: HostBits
    private let thresholds: ThresholdTable
    let tags: TagTable
    /// The packet at hand told which application its flow is of.
    private var isTold = false

    /// Rules left unconfirmed for a packet because their tests needed too long a search: hostile
    /// payloads, or a rule that is badly written. Counted from the start of the matcher.
    public private(set) var abandonedSearches: UInt64 = 0
    /// Scans that Hyperscan did not finish. Never expected: its memory is sized for the databases.
    public private(set) var failedScans: UInt64 = 0

    /// Signature findings of one packet; more are counted (Suricata's packet-alert-max).
    public static let alertLimit = 15

    /// `hostBits` is what `xbits` and `hostbits` remember, `thresholds` what is counted for thresholds, and
    /// `tags` what tags remember: they outlive the matcher.
    public init(
        _ rules: RuleSet, hostBits: HostBits = HostBits(capacity: 1 << 10),
        thresholds: ThresholdTable = ThresholdTable(capacity: 1 << 10), tags: TagTable = TagTable(capacity: 1 << 8)
    ) throws(RuleLoadError) {
        let tables = unsafe rules.compiled.tables
        guard let memory = unsafe ConfirmMemory(capacity: tables.deepest) else {
            throw .engine("no memory for PCRE2")
        }
        var scratch: OpaquePointer? = nil
        for i in 0..<(unsafe tables.databaseCount) {
            let status = unsafe hs_alloc_scratch(tables.databases[i], &scratch)
            guard status == HS_SUCCESS else {
                unsafe hs_free_scratch(scratch)
                unsafe memory.deallocate()
                throw .engine("no scratch memory, status \(status)")
            }
        }
        self.rules = rules
        self.hostBits = hostBits
        self.thresholds = thresholds
        self.tags = tags
        unsafe self.tables = unsafe tables
        unsafe self.memory = unsafe memory
        unsafe self.scratch = unsafe scratch
        unsafe candidates = unsafe CandidateSet(capacity: tables.entryCount)
        unsafe seam = .allocate(capacity: 2 * Matcher.seamReach)
        unsafe context = .allocate(capacity: 1)
        unsafe context.initialize(to: ScanContext(tables: tables, candidates: candidates, plane: []))
    }

    deinit {
        unsafe hs_free_scratch(scratch)
        unsafe candidates.deallocate()
        unsafe memory.deallocate()
        unsafe seam.deallocate()
        unsafe context.deallocate()
    }

    /// Bytes of this matcher's own working memory.
    public var memoryBytes: Int {
        var size = 0
        if let scratch = unsafe scratch { unsafe hs_scratch_size(scratch, &size) }
        return unsafe size + candidates.memoryBytes + memory.memoryBytes + 2 * Matcher.seamReach
    }

    /// Appends a finding for each rule that matches, in the order in which they are acted on (`RuleOrder`). A
    /// `pass` rule that matches is the last that is asked. `bytes` are those that `packet` was decoded from;
    /// `step` is what it did to its flow in `flows`.
    public mutating func inspect(
        _ packet: Packet, _ bytes: RawSpan, _ context: MatchContext, _ step: FlowStep, _ flows: inout FlowTable,
        into findings: inout Findings
    ) -> MatchOutcome {
        inspect(packet, bytes, context, step, &flows, into: &findings, NoMeter())
    }

    /// The same, and what each rule cost.
    public mutating func profile(
        _ packet: Packet, _ bytes: RawSpan, _ context: MatchContext, _ step: FlowStep, _ flows: inout FlowTable,
        into findings: inout Findings, _ costs: RuleCosts
    ) -> MatchOutcome {
        inspect(packet, bytes, context, step, &flows, into: &findings, costs)
    }

    @inline(__always)
    private mutating func inspect<Meter: RuleMeter>(
        _ packet: Packet, _ bytes: RawSpan, _ context: MatchContext, _ step: FlowStep, _ flows: inout FlowTable,
        into findings: inout Findings, _ meter: Meter
    ) -> MatchOutcome {
        let subject = Subject(packet, byteCount: bytes.byteCount, step)
        let lookups = unsafe tables.classes[subject.protocolClass &* 2 &+ (step.toServer ? 0 : 1)]
        var i = lookups.lower
        var prompted = false
        let hasWindow = step.window.freshLength > 0
        isTold = false
        if let flow = unsafe step.flow,
            unsafe ApplicationRecogniser.isOpen(flow.pointee.application, toServer: step.toServer)
        {
            recognise(packet, bytes, subject, step, &flows)
        }
        while i < lookups.upper {
            let number = unsafe tables.group(packet, lookups: i, subject)
            if number != 0 {
                let group = unsafe tables.groups + number
                if unsafe group.pointee.database >= 0 || group.pointee.filter >= 0,
                    unsafe hasWindow || subject.payloadLength >= group.pointee.shortestPattern
                {
                    unsafe scan(Searched(tables, group.pointee.database, group.pointee.filter), subject, bytes, step)
                    prompted = true
                }
                if unsafe group.pointee.expressions >= 0, hasWindow || subject.payloadLength > 0 {
                    unsafe scan(Searched(tables, group.pointee.expressions, -1), subject, bytes, step)
                    prompted = true
                }
                if unsafe group.pointee.unprompted.count != 0,
                    unsafe !subject.hasUpperHeader || hasWindow || group.pointee.admits(key: subject.key)
                {
                    unsafe candidates.insert(
                        group.pointee.unprompted, of: tables.entryLists,
                        step.isStreamOnly ? .stream : [.packet, .stream])
                    prompted = true
                }
            }
            i &+= 1
        }
        if hasWindow, flows.hasPending(step) {
            recall(step, &flows)
            prompted = true
        }
        guard prompted else { return MatchOutcome() }
        if hasWindow { flows.endScan(step) }
        return confirm(packet, subject, bytes, context, step, &flows, into: &findings, meter)
    }

    // Kept out of line: most packets need none of these.

    /// Lets the first bytes of a flow say which application it is of: a datagram, or what a TCP stream begins with.
    @inline(never)
    private mutating func recognise(
        _ packet: Packet, _ bytes: RawSpan, _ subject: Subject, _ step: FlowStep, _ flows: inout FlowTable
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
    private static var seamReach: Int { Content.longestPrompt - 1 }

    /// Looks for patterns in the payload, and in what is new in the stream, if that is something else.
    @inline(never)
    private mutating func scan(_ searched: Searched, _ subject: Subject, _ bytes: RawSpan, _ step: FlowStep) {
        let window = step.window
        if subject.payloadLength > 0 {
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe scan(
                    searched, buffer.baseAddress! + Int(subject.payloadOffset), Int(subject.payloadLength),
                    window.isPayload ? [.packet, .stream] : .packet)
            }
        }
        guard window.freshLength > 0, let fresh = unsafe window.fresh else { return }
        if !window.isPayload { unsafe scan(searched, fresh, Int(window.freshLength), .stream) }
        guard window.historyLength > 0, let history = unsafe window.history else { return }
        let before = min(Int(window.historyLength), Matcher.seamReach)
        let after = min(Int(window.freshLength), Matcher.seamReach)
        unsafe seam.update(from: history + Int(window.historyLength) - before, count: before)
        unsafe (seam + before).update(from: fresh, count: after)
        // What ends before the new bytes was found when it came.
        unsafe context.pointee.seen = UInt64(before)
        unsafe scan(searched, seam, before + after, .stream)
        unsafe context.pointee.seen = 0
        if let flow = unsafe step.flow, unsafe flow.pointee.scansAgain(step.toServer) {
            unsafe scan(searched, history, Int(window.historyLength), .history)
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

    /// Rules whose pattern was found before in this stream, but not all that they ask.
    @inline(never)
    private mutating func recall(_ step: FlowStep, _ flows: inout FlowTable) {
        let count = unsafe tables.entryCount
        flows.takePending(step) { entry in
            if Int(entry) < count { unsafe candidates.insert(entry, .history) }
        }
    }

    @inline(never)
    private mutating func confirm<Meter: RuleMeter>(
        _ packet: Packet, _ subject: Subject, _ bytes: RawSpan, _ context: MatchContext, _ step: FlowStep,
        _ flows: inout FlowTable, into findings: inout Findings, _ meter: Meter
    ) -> MatchOutcome {
        unsafe withUnsafePointer(to: packet) { packet in
            unsafe bytes.withUnsafeBytes { buffer in
                // A packet without bytes has no address; nothing is read there.
                let start = unsafe buffer.baseAddress ?? UnsafeRawPointer(seam)
                let scene = unsafe Scene(
                    packet: packet, bytes: start.assumingMemoryBound(to: UInt8.self), count: buffer.count,
                    step: step, outerTag: context.outerTag, time: context.time,
                    trustsChecksums: context.trustsChecksums, handlings: context.handlings)
                return unsafe confirm(scene, subject, &flows, into: &findings, meter)
            }
        }
    }

    private mutating func confirm<Meter: RuleMeter>(
        _ scene: Scene, _ subject: Subject, _ flows: inout FlowTable, into findings: inout Findings, _ meter: Meter
    ) -> MatchOutcome {
        var outcome = MatchOutcome()
        var cursor = 0
        var alerts = 0
        var last = UInt32.max
        while let (number, plane) = unsafe candidates.popFirst(&cursor) {
            let entry = unsafe tables.entries + number
            guard unsafe !scene.step.isStreamOnly || entry.pointee.traits.isSuperset(of: [.hasPayload, .streams]) else {
                continue
            }
            meter.turn(to: unsafe entry.pointee.finding.code)
            guard unsafe tables.endpointsMatch(entry, scene.packet.pointee, subject),
                unsafe scene.admits(entry.pointee.flow)
            else { continue }
            guard unsafe tables.conditionsHold(entry.pointee.conditions, scene) else {
                if unsafe entry.pointee.traits.contains(.namesApplication) && scene.isUntold {
                    unsafe remember(number, entry, plane, scene, &flows)
                }
                continue
            }
            guard unsafe tables.stateHolds(entry.pointee.tests, scene, &flows, hostBits)
            else { continue }
            var finding = unsafe entry.pointee.finding
            if unsafe entry.pointee.traits.contains(.hasPayload) || entry.pointee.parts.count != 0 {
                guard let place = unsafe partsMatch(entry, plane, subject, scene, &flows) else {
                    unsafe remember(number, entry, plane, scene, &flows)
                    continue
                }
                finding.matchedStream = place == .stream
            }
            // The two directions of a rule are neighbours, and one finding of it is enough.
            if finding.code == last { continue }
            last = finding.code
            meter.matched()
            unsafe tables.apply(entry.pointee.effects, scene, &flows, hostBits)
            var action = unsafe entry.pointee.action
            // Before a threshold may have it otherwise for the moment.
            guard unsafe scene.handlings.apply(to: &finding, &action) else { continue }
            var ruling = ThresholdRuling.told
            if unsafe entry.pointee.thresholds.count != 0 {
                ruling = unsafe tables.ruling(entry.pointee.thresholds, scene, &flows, thresholds, &action)
                if ruling == .none { continue }
                finding.asks = action == .drop || action == .reject ? .drop : .accept
            }
            // Data before the handshake is complete is no stream yet.
            unsafe outcome.add(entry, action, inStream: finding.matchedStream && scene.step.isEstablished)
            if unsafe entry.pointee.tags.count != 0 { unsafe tables.tag(entry.pointee.tags, scene, &flows, tags) }
            // What a threshold does not let it say, a rule that passes does not do either.
            if ruling == .silent { continue }
            let isPass = action == .pass
            let speaks = unsafe isPass ? entry.pointee.traits.contains(.loud) : !entry.pointee.traits.contains(.silent)
            if speaks {
                finding.passes = isPass
                if alerts < Matcher.alertLimit { findings.append(finding) } else { findings.withhold() }
                alerts &+= 1
            }
            if isPass {
                unsafe candidates.removeAll()
                break
            }
        }
        meter.end()
        return outcome
    }

    /// Has an entry whose pattern was found in the stream asked again when there is more of it.
    @inline(__always)
    private func remember(
        _ number: Int, _ entry: UnsafePointer<Entry>, _ plane: CandidateSet.Plane, _ scene: Scene,
        _ flows: inout FlowTable
    ) {
        guard !plane.isDisjoint(with: [.stream, .history]),
            unsafe entry.pointee.traits.contains(.streams) && !entry.pointee.traits.contains(.unprompted)
        else { return }
        unsafe flows.remember(UInt32(number), scene.step)
    }

    /// Where all parts of an entry match; nil if they do not.
    private mutating func partsMatch(
        _ entry: UnsafePointer<Entry>, _ plane: CandidateSet.Plane, _ subject: Subject, _ scene: Scene,
        _ flows: inout FlowTable
    ) -> CandidateSet.Plane? {
        var place = CandidateSet.Plane.packet
        if unsafe entry.pointee.traits.contains(.hasPayload) {
            guard let found = unsafe payloadMatches(entry, plane, subject, scene, &flows) else { return nil }
            place = found
        }
        var i = unsafe entry.pointee.parts.lower
        while unsafe i < entry.pointee.parts.upper {
            let part = unsafe tables.parts + i
            if unsafe part.pointee.buffer != .payload {
                var furthest: Int32 = 0
                guard let text = unsafe scene.text(of: part.pointee.buffer),
                    unsafe text.length >= part.pointee.minimumLength,
                    unsafe holds(part, text, &furthest)
                else { return nil }
            }
            i &+= 1
        }
        return place
    }

    /// The payload part: first in what is new of the stream, then in the packet, if that is not the same
    /// (Suricata's DetectEngineInspectRulePayloadMatches).
    private mutating func payloadMatches(
        _ entry: UnsafePointer<Entry>, _ plane: CandidateSet.Plane, _ subject: Subject, _ scene: Scene,
        _ flows: inout FlowTable
    ) -> CandidateSet.Plane? {
        let traits = unsafe entry.pointee.traits
        let part = unsafe tables.parts + entry.pointee.parts.lower
        let isProven = traits.contains(.isProven)
        let window = unsafe scene.step.window
        if traits.contains(.streams), window.freshLength > 0, !plane.isDisjoint(with: [.stream, .history]) {
            let isScanned = plane.contains(.stream)
            // What was found before its application was known is as good as new once it is.
            let isAwaited = unsafe isTold && entry.pointee.traits.contains(.namesApplication)
            if isProven {
                if isScanned || isAwaited { return .stream }
            } else {
                let (bytes, length) = unsafe flows.contiguous(scene.step)
                let text = unsafe Subtext(bytes: bytes, length: length, origin: Int64(clamping: window.offset))
                var furthest: Int32 = 0
                if unsafe length >= part.pointee.minimumLength, unsafe holds(part, text, &furthest) {
                    if isAwaited || furthest > window.historyLength { return .stream }
                    // What was wholly there before was found before, unless the rule asks for more than the payload.
                    // A match that needed no byte, only the absence of some, is one of all that comes.
                    let isSettled = unsafe entry.pointee.conditions.count == 0 && entry.pointee.tests.count == 0
                    if isScanned, !isSettled || furthest == 0 { return .stream }
                    // Its pattern has come again: is there another match, all of it new?
                    let fresh = unsafe Subtext(
                        bytes: bytes + Int(window.historyLength), length: window.freshLength,
                        origin: text.origin &+ Int64(window.historyLength))
                    if unsafe isScanned && fresh.length >= part.pointee.minimumLength,
                        unsafe holds(part, fresh, &furthest)
                    {
                        return .stream
                    }
                }
            }
        }
        guard plane.contains(.packet), unsafe traits.contains(.packets) || !scene.step.isAdded,
            unsafe subject.payloadLength >= entry.pointee.minimumPayload
        else { return nil }
        // An only_stream rule never looks at a packet.
        if unsafe entry.pointee.flow.contains(.onlyStream) { return nil }
        if isProven { return .packet }
        let text = unsafe Subtext(
            bytes: scene.bytes + Int(subject.payloadOffset), length: subject.payloadLength)
        var furthest: Int32 = 0
        return unsafe holds(part, text, &furthest) ? .packet : nil
    }

    private mutating func holds(
        _ part: UnsafePointer<CompiledPart>, _ text: Subtext, _ furthest: inout Int32
    ) -> Bool {
        switch unsafe tables.partMatches(part.pointee.steps, text, memory, &furthest) {
        case .found: return true
        case .absent: return false
        case .abandoned:
            abandonedSearches &+= 1
            return false
        }
    }
}

extension MatchOutcome {
    @inline(__always)
    fileprivate mutating func add(_ entry: UnsafePointer<Entry>, _ action: RuleAction, inStream: Bool) {
        let actsOnFlow =
            unsafe entry.pointee.traits.contains(.actsOnFlow)
            || (inStream && entry.pointee.traits.contains(.actsOnFlowOfStream))
        switch action {
        case .alert: break
        case .pass:
            // Of a packet that is dropped already there is nothing to pass.
            if drops { return }
            passes = true
            if actsOnFlow { passesFlow = true }
        case .drop, .reject:
            drops = true
            if actsOnFlow { dropsFlow = true }
            if action == .reject {
                let sides = unsafe entry.pointee.finding.rejects
                rejects.formUnion(sides.isEmpty ? .source : sides)
            }
        }
    }
}

extension Scene {
    /// Whether nobody knows yet which application the flow is of.
    fileprivate var isUntold: Bool {
        guard let flow = unsafe step.flow else { return false }
        let application = unsafe flow.pointee.application
        return application != Application.other.rawValue
            && Application(rawValue: application).map { $0.bit == 0 } ?? false
    }

    @inline(__always)
    fileprivate func admits(_ test: FlowTest) -> Bool {
        if test.isEmpty { return true }
        if unsafe test.contains(.onlyFragments) && !packet.pointee.isFragment { return false }
        if unsafe test.contains(.noFragments) && packet.pointee.isFragment { return false }
        guard !test.isDisjoint(with: .needsFlow) else { return true }
        guard unsafe step.flow != nil else { return false }
        if unsafe test.contains(.toServer) && !step.toServer { return false }
        if unsafe test.contains(.toClient) && step.toServer { return false }
        if unsafe test.contains(.established) && !step.isEstablished { return false }
        if unsafe test.contains(.notEstablished) && step.isEstablished { return false }
        return true
    }
}

/// What a group's patterns are looked for with.
@unsafe
private struct Searched {
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
    var seen: UInt64 = 0

    static let found: match_event_handler = { identifier, _, end, _, context in
        unsafe context!.assumingMemoryBound(to: ScanContext.self).pointee.take(identifier, end)
        return 0
    }

    mutating func take(_ identifier: UInt32, _ end: UInt64) {
        unsafe candidates.insert(
            tables.literals[Int(identifier)], of: tables.entryLists, end > seen ? plane : .history)
    }
}
