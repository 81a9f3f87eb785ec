import CVectorscan
import Glibc

/// What Hyperscan looks for on behalf of some entries.
struct Literal {
    /// Where it is in the pattern arena.
    var offset: Int
    var length: Int
    var ignoresCase: Bool
    /// The options of a regular expression; nil for bytes that stand for themselves.
    var expression: Expression.Options?
    /// What Hyperscan reports: index in `RuleTables.literals`.
    var identifier: UInt32

    fileprivate var flags: UInt32 {
        guard let options = expression else {
            return UInt32(HS_FLAG_SINGLEMATCH) | (ignoresCase ? UInt32(HS_FLAG_CASELESS) : 0)
        }
        return PatternDatabase.flags(options)
    }
}

/// Compiles patterns to Hyperscan databases: block mode, each pattern reported once a scan. A database holds
/// literals or expressions, not both.
enum PatternDatabase {
    static func compile(_ literals: [Literal], arena: [UInt8]) throws(RuleLoadError) -> OpaquePointer {
        var database: OpaquePointer? = nil
        var problem: UnsafeMutablePointer<hs_compile_error_t>? = nil
        let flags = literals.map(\.flags)
        let identifiers = literals.map(\.identifier)
        let lengths = literals.map(\.length)
        let status: hs_error_t
        if literals.first?.expression != nil {
            let texts = literals.map { Array(arena[$0.offset..<$0.offset + $0.length]) + [0] }
            status = unsafe withPointers(texts) { expressions in
                unsafe hs_compile_multi(
                    expressions, flags, identifiers, UInt32(literals.count), UInt32(HS_MODE_BLOCK), nil,
                    &database, &problem)
            }
        } else {
            status = unsafe arena.withUnsafeBytes { bytes in
                let expressions = unsafe literals.map {
                    unsafe (bytes.baseAddress! + $0.offset).assumingMemoryBound(to: CChar.self)
                        as UnsafePointer<CChar>?
                }
                return unsafe hs_compile_lit_multi(
                    expressions, flags, identifiers, lengths, UInt32(literals.count), UInt32(HS_MODE_BLOCK), nil,
                    &database, &problem)
            }
        }
        defer { unsafe hs_free_compile_error(problem) }
        guard status == HS_SUCCESS, let found = unsafe database else {
            let words = unsafe problem.flatMap { unsafe $0.pointee.message }.map {
                unsafe String(cString: $0)
            }
            throw .engine(words ?? "compile failed with status \(status)")
        }
        return unsafe found
    }

    private static func withPointers<Result>(
        _ texts: [[UInt8]], _ body: ([UnsafePointer<CChar>?]) -> Result
    ) -> Result {
        let total = texts.reduce(0) { $0 + $1.count }
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, total))
        defer { unsafe memory.deallocate() }
        var pointers = unsafe [UnsafePointer<CChar>?]()
        var next = unsafe memory
        for text in texts {
            for (index, byte) in text.enumerated() {
                unsafe (next + index).initialize(to: CChar(bitPattern: byte))
            }
            unsafe pointers.append(UnsafePointer(next))
            unsafe next += text.count
        }
        return unsafe body(pointers)
    }

    static func byteCount(_ database: OpaquePointer) -> Int {
        var size = 0
        return unsafe hs_database_size(database, &size) == HS_SUCCESS ? size : 0
    }

    // MARK: - Expressions

    /// An expression is a filter: Hyperscan may find it where PCRE2 does not, never the other way round.
    fileprivate static func flags(_ options: Expression.Options) -> UInt32 {
        var flags = UInt32(HS_FLAG_SINGLEMATCH) | UInt32(HS_FLAG_PREFILTER) | UInt32(HS_FLAG_ALLOWEMPTY)
        if options.contains(.caseless) { flags |= UInt32(HS_FLAG_CASELESS) }
        if options.contains(.dotAll) { flags |= UInt32(HS_FLAG_DOTALL) }
        if options.contains(.multiline) { flags |= UInt32(HS_FLAG_MULTILINE) }
        return flags
    }

    /// Whether Hyperscan can filter by it. What it cannot is confirmed by PCRE2 on every packet.
    static func supports(_ expression: Expression) -> Bool {
        guard !expression.isRelative, expression.options.isDisjoint(with: [.extended, .anchored]),
            !expression.pattern.contains(0)
        else { return false }
        var information: UnsafeMutablePointer<hs_expr_info_t>? = nil
        var problem: UnsafeMutablePointer<hs_compile_error_t>? = nil
        let status = unsafe withPointers([expression.pattern + [0]]) { texts in
            unsafe hs_expression_info(texts[0], flags(expression.options), &information, &problem)
        }
        defer {
            unsafe hs_free_compile_error(problem)
            unsafe free(information)
        }
        // One that matches nothing at all is no filter.
        guard status == HS_SUCCESS, let found = unsafe information, unsafe found.pointee.min_width > 0 else {
            return false
        }
        // That it can be read does not mean that it can be compiled: some are too large.
        let literal = Literal(
            offset: 0, length: expression.pattern.count, ignoresCase: false, expression: expression.options,
            identifier: 0)
        guard let database = unsafe try? compile([literal], arena: expression.pattern) else { return false }
        unsafe hs_free_database(database)
        return true
    }
}
