import CPCRE2

/// The compiled regular expressions of a rule set. Read by any thread once made.
@safe
final class ExpressionTable: @unchecked Sendable {
    let codes: UnsafeMutablePointer<OpaquePointer?>
    let count: Int
    let memoryBytes: Int

    /// Why PCRE2 refuses a pattern; nil if it compiles. For the rules' report.
    static func problem(_ expression: Expression) -> String? {
        var why = ""
        guard let code = unsafe compile(expression, &why) else { return why }
        unsafe pcre2_code_free_8(code)
        return nil
    }

    init(_ expressions: [Expression]) throws(RuleLoadError) {
        count = expressions.count
        unsafe codes = .allocate(capacity: max(1, count))
        unsafe codes.initialize(repeating: nil, count: max(1, count))
        var size = 0
        for (index, expression) in expressions.enumerated() {
            var why = ""
            guard let code = unsafe ExpressionTable.compile(expression, &why) else {
                throw .engine("PCRE2: \(why)")
            }
            // Where memory may not be written and run, PCRE2 interprets instead.
            unsafe pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
            var bytes = 0
            if unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_SIZE), &bytes) == 0 { size += bytes }
            if unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_JITSIZE), &bytes) == 0 { size += bytes }
            unsafe codes[index] = unsafe code
        }
        memoryBytes = size
    }

    deinit {
        for i in 0..<count { unsafe pcre2_code_free_8(codes[i]) }
        unsafe codes.deallocate()
    }

    private static func compile(_ expression: Expression, _ why: inout String) -> OpaquePointer? {
        var options: UInt32 = 0
        for (option, bit) in [
            (Expression.Options.caseless, PCRE2_CASELESS), (.dotAll, PCRE2_DOTALL), (.multiline, PCRE2_MULTILINE),
            (.extended, PCRE2_EXTENDED), (.anchored, PCRE2_ANCHORED), (.dollarEndOnly, PCRE2_DOLLAR_ENDONLY),
            (.ungreedy, PCRE2_UNGREEDY),
        ] where expression.options.contains(option) {
            options |= UInt32(bit)
        }
        var code: Int32 = 0
        var offset = 0
        let compiled = unsafe pcre2_compile_8(
            expression.pattern, expression.pattern.count, options, &code, &offset, nil)
        if let compiled = unsafe compiled { return unsafe compiled }
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 256) { buffer, used in
            let length = unsafe pcre2_get_error_message_8(code, buffer.baseAddress, 256)
            used = max(0, Int(length))
        }
        why = String(decoding: text, as: UTF8.self) + " at \(offset)"
        return nil
    }
}

/// What matching an expression needs, made once for a worker.
@unsafe
struct ExpressionMemory {
    let data: OpaquePointer
    let context: OpaquePointer
    let unlimited: OpaquePointer
    private let stack: OpaquePointer?

    /// Calls of PCRE2's internal match function: as Suricata bounds them (pcre.match-limit).
    static let matchLimit: UInt32 = 3_500

    init?() {
        guard let data = unsafe pcre2_match_data_create_8(16, nil),
            let context = unsafe pcre2_match_context_create_8(nil),
            let unlimited = unsafe pcre2_match_context_create_8(nil)
        else { return nil }
        unsafe self.data = unsafe data
        unsafe self.context = unsafe context
        unsafe self.unlimited = unsafe unlimited
        unsafe pcre2_set_match_limit_8(context, ExpressionMemory.matchLimit)
        unsafe pcre2_set_depth_limit_8(context, ExpressionMemory.matchLimit)
        // The one that ignores the rule's limit keeps PCRE2's own.
        unsafe stack = unsafe pcre2_jit_stack_create_8(32 << 10, 1 << 20, nil)
        unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
        unsafe pcre2_jit_stack_assign_8(unlimited, nil, UnsafeMutableRawPointer(stack))
    }

    func deallocate() {
        unsafe pcre2_match_data_free_8(data)
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_match_context_free_8(unlimited)
        unsafe pcre2_jit_stack_free_8(stack)
    }

    /// Where `code` matches at or after `start`, or nil. `failed` is set when a limit was reached.
    @inline(__always)
    func find(
        _ code: OpaquePointer, _ text: UnsafePointer<UInt8>, from start: Int32, length: Int32, isLimited: Bool,
        failed: inout Bool
    ) -> (start: Int32, end: Int32)? {
        let result = unsafe pcre2_match_8(
            code, text, Int(length), Int(start), 0, data, isLimited ? context : unlimited)
        guard result >= 0 else {
            failed = result != PCRE2_ERROR_NOMATCH
            return nil
        }
        let places = unsafe pcre2_get_ovector_pointer_8(data)!
        return unsafe (Int32(truncatingIfNeeded: places[0]), Int32(truncatingIfNeeded: places[1]))
    }
}
