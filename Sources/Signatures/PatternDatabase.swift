import CVectorscan

/// A literal that Hyperscan looks for on behalf of some entries.
struct Literal {
    /// Where it is in the pattern arena.
    var offset: Int
    var length: Int
    var ignoresCase: Bool
    /// What Hyperscan reports: index in `RuleTables.literals`.
    var identifier: UInt32
}

/// Compiles literals to Hyperscan databases: block mode, each literal reported once a scan.
enum PatternDatabase {
    static func compile(_ literals: [Literal], arena: [UInt8]) throws(RuleLoadError) -> OpaquePointer {
        var database: OpaquePointer? = nil
        var problem: UnsafeMutablePointer<hs_compile_error_t>? = nil
        let flags = literals.map {
            UInt32(HS_FLAG_SINGLEMATCH) | ($0.ignoresCase ? UInt32(HS_FLAG_CASELESS) : 0)
        }
        let identifiers = literals.map(\.identifier)
        let lengths = literals.map(\.length)
        let status = unsafe arena.withUnsafeBytes { bytes in
            let expressions = unsafe literals.map {
                unsafe (bytes.baseAddress! + $0.offset).assumingMemoryBound(to: CChar.self)
                    as UnsafePointer<CChar>?
            }
            return unsafe hs_compile_lit_multi(
                expressions, flags, identifiers, lengths, UInt32(literals.count), UInt32(HS_MODE_BLOCK), nil,
                &database, &problem)
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

    static func byteCount(_ database: OpaquePointer) -> Int {
        var size = 0
        return unsafe hs_database_size(database, &size) == HS_SUCCESS ? size : 0
    }
}
