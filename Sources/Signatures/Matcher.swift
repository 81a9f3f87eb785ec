import CVectorscan
public import Evidence
public import Wire

/// Matches packets against a rule set: one for each worker thread, which alone uses it. Allocates nothing
/// once made.
///
/// A packet is looked up by protocol and port. If no rule names its ports, that is all. Else its payload is
/// scanned for the patterns of the rules that do, and each rule that is prompted so, or that has no pattern,
/// is confirmed.
@safe
public struct Matcher: ~Copyable {
    private let rules: RuleSet
    private let tables: RuleTables
    private let candidates: CandidateSet
    /// What Hyperscan's callback is handed.
    private let context: UnsafeMutablePointer<ScanContext>
    private let places: ContentPlaces
    private let scratch: OpaquePointer?

    /// Rules left unconfirmed for a packet because their contents needed too long a search: hostile
    /// payloads, or a rule that is badly written. Counted from the start of the matcher.
    public private(set) var abandonedSearches: UInt64 = 0
    /// Scans that Hyperscan did not finish. Never expected: its memory is sized for the databases.
    public private(set) var failedScans: UInt64 = 0

    public init(_ rules: RuleSet) throws(RuleLoadError) {
        self.rules = rules
        unsafe tables = rules.compiled.tables
        unsafe candidates = CandidateSet(capacity: tables.entryCount)
        unsafe places = ContentPlaces(capacity: tables.deepest)
        unsafe context = .allocate(capacity: 1)
        unsafe context.initialize(to: ScanContext(tables: tables, candidates: candidates))
        var scratch: OpaquePointer? = nil
        for i in 0..<(unsafe tables.databaseCount) {
            let status = unsafe hs_alloc_scratch(tables.databases[i], &scratch)
            guard status == HS_SUCCESS else {
                unsafe hs_free_scratch(scratch)
                unsafe candidates.deallocate()
                unsafe places.deallocate()
                unsafe context.deallocate()
                throw .engine("no scratch memory, status \(status)")
            }
        }
        unsafe self.scratch = unsafe scratch
    }

    deinit {
        unsafe hs_free_scratch(scratch)
        unsafe candidates.deallocate()
        unsafe places.deallocate()
        unsafe context.deallocate()
    }

    /// Bytes of this matcher's own working memory.
    public var memoryBytes: Int {
        var size = 0
        if let scratch = unsafe scratch { unsafe hs_scratch_size(scratch, &size) }
        return unsafe size + candidates.memoryBytes + places.memoryBytes
    }

    /// Appends a finding for each rule that matches: rules that ask for a drop first, then by priority, then
    /// in the order of loading. A `pass` rule that matches leaves none. `bytes` are those that `packet` was
    /// decoded from. What is not IP matches nothing.
    public mutating func inspect(_ packet: Packet, _ bytes: RawSpan, into findings: inout Findings) {
        guard packet.ipVersion != 0 else { return }
        let subject = Subject(packet, byteCount: bytes.byteCount)
        let lookups = unsafe tables.classes[subject.protocolClass]
        var i = lookups.lower
        var prompted = false
        while i < lookups.upper {
            let number = unsafe tables.group(packet, lookups: i, hasPorts: subject.hasUpperHeader)
            if number != 0 {
                let group = unsafe tables.groups + number
                if unsafe group.pointee.database >= 0,
                    unsafe subject.payloadLength >= group.pointee.shortestPattern
                {
                    unsafe scan(tables.databases[Int(group.pointee.database)], subject, bytes)
                    prompted = true
                }
                if unsafe group.pointee.unprompted.count != 0,
                    unsafe !subject.hasUpperHeader || group.pointee.admits(key: subject.key)
                {
                    unsafe tables.insert(group.pointee.unprompted, into: candidates)
                    prompted = true
                }
            }
            i &+= 1
        }
        if prompted { confirm(packet, subject, bytes, into: &findings) }
    }

    // Kept out of line: most packets need neither of these.

    @inline(never)
    private mutating func scan(_ database: OpaquePointer, _ subject: Subject, _ bytes: RawSpan) {
        let status = unsafe bytes.withUnsafeBytes { buffer in
            unsafe hs_scan(
                database,
                (buffer.baseAddress! + Int(subject.payloadOffset)).assumingMemoryBound(to: CChar.self),
                UInt32(subject.payloadLength), 0, scratch, ScanContext.found, context)
        }
        if status != HS_SUCCESS { failedScans &+= 1 }
    }

    @inline(never)
    private mutating func confirm(
        _ packet: Packet, _ subject: Subject, _ bytes: RawSpan, into findings: inout Findings
    ) {
        var cursor = 0
        while let number = unsafe candidates.popFirst(&cursor) {
            let entry = unsafe tables.entries + number
            guard unsafe tables.headerMatches(entry, packet, subject) else { continue }
            if unsafe entry.pointee.contents.count != 0 {
                let result = unsafe bytes.withUnsafeBytes { buffer in
                    let payload = unsafe (buffer.baseAddress! + Int(subject.payloadOffset))
                        .assumingMemoryBound(to: UInt8.self)
                    return unsafe tables.contentsMatch(
                        entry.pointee.contents, payload, subject.payloadLength, places)
                }
                if result == .abandoned { abandonedSearches &+= 1 }
                guard result == .found else { continue }
            }
            if unsafe entry.pointee.checks.contains(.pass) {
                unsafe candidates.removeAll()
                return
            }
            // The two directions of a rule are neighbours, and one finding of it is enough.
            let finding = unsafe entry.pointee.finding
            if findings.count > 0, findings[findings.count - 1].source == .signature,
                findings[findings.count - 1].code == finding.code
            {
                continue
            }
            findings.append(finding)
        }
    }
}

/// What the matcher needs to know of a packet, beside the packet.
struct Subject {
    /// Index in `RuleTables.classes`.
    var protocolClass: Int
    /// Whether ports and the other fields of the upper header were read.
    var hasUpperHeader: Bool
    /// What `Group.keys` are indexed by: TCP flags, ICMP type, UDP payload length up to 255.
    var key: UInt8
    var payloadOffset: Int32
    var payloadLength: Int32

    @inline(__always)
    init(_ packet: Packet, byteCount: Int) {
        payloadOffset = packet.payloadOffset
        payloadLength = packet.payloadLength
        key = 0
        hasUpperHeader = true
        switch packet.kind {
        case .tcp:
            protocolClass = 0
            key = packet.tcpFlags.rawValue
        case .udp:
            protocolClass = 1
            key = UInt8(clamping: payloadLength)
        case .icmp:
            protocolClass = 2
            key = packet.icmpType
        case .icmp6:
            protocolClass = 3
            key = packet.icmpType
        case .otherIP:
            protocolClass = 4
        case .laterFragment:
            hasUpperHeader = false
            payloadLength = 0
            switch packet.ipProtocol {
            case 6: protocolClass = 0
            case 17: protocolClass = 1
            case 1: protocolClass = 2
            case 58: protocolClass = 3
            default: protocolClass = 4
            }
        case .malformed, .other, .arp:
            protocolClass = 4
            hasUpperHeader = false
            payloadLength = 0
        }
        // Offsets come from the decoder, which keeps them inside; nothing here depends on that.
        if payloadOffset < 0 || payloadLength <= 0 || Int(payloadOffset) + Int(payloadLength) > byteCount {
            payloadOffset = 0
            payloadLength = 0
        }
    }
}

/// Where Hyperscan's callback finds and leaves things.
@unsafe
struct ScanContext {
    let tables: RuleTables
    let candidates: CandidateSet

    static let found: match_event_handler = { identifier, _, _, _, context in
        let scan = unsafe context!.assumingMemoryBound(to: ScanContext.self)
        unsafe scan.pointee.tables.insert(
            scan.pointee.tables.literals[Int(identifier)], into: scan.pointee.candidates)
        return 0
    }
}
