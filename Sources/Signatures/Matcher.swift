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
    /// Which rules the entries are of that are remembered with a stream, in the highest 8 bits of their numbers.
    let generation: UInt32
    let tables: RuleTables
    let candidates: CandidateSet
    /// What Hyperscan's callback is handed.
    let context: UnsafeMutablePointer<ScanContext>
    let memory: ConfirmMemory
    let seam: UnsafeMutablePointer<UInt8>
    let scratch: OpaquePointer?
    let hostBits: HostBits
    let thresholds: ThresholdTable
    let tags: TagTable
    /// The packet at hand told which application its flow is of.
    var isTold = false
    /// Codes of the rules that matched a window of the packet at hand, as far as they fit: they are not asked about
    /// its other readings.
    var matched = InlineArray<16, UInt32>(repeating: 0)
    var matchedCount = 0

    /// Where is taken down what confirming each rule costs, if anybody asks.
    public var costs: RuleCosts?
    /// Rules left unconfirmed for a packet because their tests needed too long a search: hostile
    /// payloads, or a rule that is badly written. Counted from the start of the matcher.
    public internal(set) var abandonedSearches: UInt64 = 0
    /// Scans that Hyperscan did not finish. Never expected: its memory is sized for the databases.
    public internal(set) var failedScans: UInt64 = 0

    /// Signature findings of one packet; more are counted (Suricata's packet-alert-max).
    public static let alertLimit = 15

    /// `hostBits` is what `xbits` and `hostbits` remember, `thresholds` what is counted for thresholds, and
    /// `tags` what tags remember: they outlive the matcher, as flows do. `generation` is different from that of the
    /// matchers before.
    public init(
        _ rules: RuleSet, generation: UInt32 = 0, hostBits: HostBits = HostBits(capacity: 1 << 10),
        thresholds: ThresholdTable = ThresholdTable(capacity: 1 << 10), tags: TagTable = TagTable(capacity: 1 << 8)
    ) throws(RuleLoadError) {
        let tables = unsafe rules.compiled.tables
        guard unsafe tables.entryCount < 1 << 24 else { throw .engine("more than 16,777,215 rules") }
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
        self.generation = generation << 24
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
        _ packet: @_addressable Packet, _ bytes: RawSpan, _ context: @_addressable MatchContext,
        _ step: @_addressable FlowStep, _ flows: inout FlowTable,
        into findings: inout Findings
    ) -> MatchOutcome {
        guard let subject = prompt(packet, bytes, step, &flows) else { return MatchOutcome() }
        if let costs { return confirm(packet, subject, bytes, context, step, &flows, into: &findings, costs) }
        return confirm(packet, subject, bytes, context, step, &flows, into: &findings, NoMeter())
    }

    /// Gathers the rules that are to be confirmed; nil if there are none.
    @inline(never)
    private mutating func prompt(
        _ packet: @_addressable Packet, _ bytes: RawSpan, _ step: @_addressable FlowStep, _ flows: inout FlowTable
    ) -> Subject? {
        let subject = Subject(packet, byteCount: bytes.byteCount, step)
        let lookups = unsafe tables.classes[subject.protocolClass &* 2 &+ (step.toServer ? 0 : 1)]
        var i = lookups.lower
        let hasWindow = step.window.freshLength > 0
        var prompted = hasWindow && flows.hasPending(step)
        if prompted { recall(step, &flows) }
        isTold = false
        if step.reading == 0 { matchedCount = 0 }
        if let flow = unsafe step.flow,
            unsafe Application.isAwaited(flow.pointee.application, toServer: step.toServer)
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
                    unsafe scanExpressions(
                        Searched(tables, group.pointee.expressions, -1), subject, bytes, step, &flows)
                    prompted = true
                }
                if unsafe group.pointee.unprompted.count != 0,
                    unsafe !subject.hasUpperHeader || group.pointee.admits(key: subject.key)
                {
                    unsafe candidates.insert(
                        group.pointee.unprompted, of: tables.entryLists,
                        step.isStreamOnly ? .stream : [.packet, .stream])
                    prompted = true
                }
            }
            i &+= 1
        }
        guard prompted else { return nil }
        if hasWindow { flows.endScan(step) }
        return subject
    }
}
