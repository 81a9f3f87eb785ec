import CVectorscan
import Wire

/// Pointers to the records of a rule set, and how many. Owned by `CompiledRules`.
@unsafe
struct RuleTables: BitwiseCopyable {
    var entries: UnsafePointer<Entry>
    var conditions: UnsafePointer<Condition>
    var operations: UnsafePointer<CompiledOperation>
    var thresholds: UnsafePointer<CompiledThreshold>
    var tags: UnsafePointer<CompiledTag>
    /// Numbers of variables.
    var names: UnsafePointer<UInt16>
    var parts: UnsafePointer<CompiledPart>
    var steps: UnsafePointer<Step>
    var expressions: UnsafePointer<OpaquePointer?>
    var patterns: UnsafePointer<UInt8>
    var addressRanges: UnsafePointer<AddressRange>
    var portRanges: UnsafePointer<PortRange>
    var groups: UnsafePointer<Group>
    /// Runs of entry numbers.
    var entryLists: UnsafePointer<UInt32>
    /// By the identifier that Hyperscan reports: the entries that the pattern may lead to.
    var literals: UnsafePointer<FoundPattern>
    var databases: UnsafePointer<OpaquePointer>
    var filters: UnsafePointer<LiteralFilter>
    var lookups: UnsafePointer<Lookup>
    var portGroups: UnsafePointer<UInt16>
    var addressGroups: UnsafePointer<AddressGroup>
    /// By position of the class's bit in `ProtocolClasses`, twice each: for packets to the server of their flow,
    /// and for those to the client.
    var classes: UnsafePointer<Run>

    var entryCount = 0
    var databaseCount = 0
    /// The most steps that one part has.
    var deepest = 0
}

/// The memory behind a rule set: written once while it is built, then only read, by any thread.
@safe
final class CompiledRules: @unchecked Sendable {
    let tables: RuleTables
    let memoryBytes: Int
    /// Why the databases could not be kept; nil when they were, or nobody asked.
    let cacheProblem: String?
    private let blocks: [UnsafeMutableRawPointer]
    private let expressions: ExpressionTable

    init(_ form: FlatForm, cache: PatternCache? = nil) throws(RuleLoadError) {
        let expressions = try ExpressionTable(form.expressions)
        self.expressions = expressions
        let databases: [OpaquePointer]
        unsafe (databases, cacheProblem) = unsafe try CompiledRules.databases(form, cache)
        var size = expressions.memoryBytes
        for i in unsafe databases.indices { unsafe size += PatternDatabase.byteCount(databases[i]) }
        var blocks = unsafe [UnsafeMutableRawPointer]()
        func place<Record: BitwiseCopyable>(_ records: [Record]) -> UnsafePointer<Record> {
            // Never empty, so that every table has an address.
            let memory = UnsafeMutablePointer<Record>.allocate(capacity: max(1, records.count))
            unsafe memory.initialize(from: records, count: records.count)
            unsafe blocks.append(UnsafeMutableRawPointer(memory))
            size += max(1, records.count) * MemoryLayout<Record>.stride
            return unsafe UnsafePointer(memory)
        }
        let patterns = unsafe place(form.patterns)
        var filters = unsafe [LiteralFilter]()
        for literals in form.filters {
            let filter = LiteralFilterForm(literals, arena: form.patterns)
            unsafe filters.append(
                LiteralFilter(
                    grams: place(filter.grams), gramShift: 32 - filter.gramBits, windows: place(filter.windows),
                    windowShift: 64 - filter.windowBits, buckets: place(filter.buckets),
                    bucketShift: filter.windowBits - filter.bucketBits, records: place(filter.records),
                    patterns: patterns))
        }
        unsafe tables = unsafe RuleTables(
            entries: place(form.entries), conditions: place(form.conditions), operations: place(form.operations),
            thresholds: place(form.thresholds), tags: place(form.tags), names: place(form.names),
            parts: place(form.parts), steps: place(form.steps),
            expressions: UnsafePointer(expressions.codes), patterns: patterns,
            addressRanges: place(form.addressRanges), portRanges: place(form.portRanges),
            groups: place(form.groups), entryLists: place(form.entryLists), literals: place(form.literals),
            databases: place(databases), filters: place(filters), lookups: place(form.lookups),
            portGroups: place(form.portGroups),
            addressGroups: place(form.addressGroups), classes: place(form.classes), entryCount: form.entries.count,
            databaseCount: databases.count,
            deepest: form.deepest)
        unsafe self.blocks = unsafe blocks
        memoryBytes = size
    }

    /// From the cache, or compiled and kept there.
    private static func databases(
        _ form: FlatForm, _ cache: PatternCache?
    ) throws(RuleLoadError) -> ([OpaquePointer], String?) {
        let key = cache == nil ? [] : PatternCache.key(form.databases, arena: form.patterns)
        if let cache, let known = unsafe cache.databases(key, count: form.databases.count) {
            return unsafe (known, nil)
        }
        var databases = unsafe [OpaquePointer]()
        do throws(RuleLoadError) {
            for patterns in form.databases {
                let database = unsafe try PatternDatabase.compile(patterns, arena: form.patterns)
                unsafe databases.append(database)
            }
        } catch {
            for i in unsafe databases.indices { unsafe hs_free_database(databases[i]) }
            throw error
        }
        let problem = cache.flatMap { unsafe $0.store(databases, key) }
        return unsafe (databases, problem)
    }

    deinit {
        for i in 0..<(unsafe tables.databaseCount) { unsafe hs_free_database(tables.databases[i]) }
        for i in unsafe blocks.indices { unsafe blocks[i].deallocate() }
    }
}
