/// What became of the search for a part of a rule.
enum StepResult { case found, absent, abandoned }

/// Working memory of confirmation, made once for a worker: for each step where to look for it next and where
/// a match of it must end at the latest, the rule's variables, and what PCRE2 needs.
@unsafe
struct ConfirmMemory {
    let next: UnsafeMutablePointer<Int32>
    let limits: UnsafeMutablePointer<Int32>
    /// Where a relative expression's subject begins.
    let origins: UnsafeMutablePointer<Int32>
    /// How far the steps up to each one reach.
    let ends: UnsafeMutablePointer<Int32>
    let variables: UnsafeMutablePointer<UInt64>
    /// What `base64_decode` made last, and how much of it.
    let decoded: UnsafeMutablePointer<UInt8>
    let decodedCount: UnsafeMutablePointer<Int32>
    /// How often each byte was seen, for `entropy`.
    let frequencies: UnsafeMutablePointer<UInt32>
    let expressions: ExpressionMemory
    private let capacity: Int

    init?(capacity: Int) {
        guard let expressions = unsafe ExpressionMemory() else { return nil }
        unsafe self.expressions = unsafe expressions
        unsafe self.capacity = max(1, capacity)
        unsafe next = .allocate(capacity: 4 * self.capacity)
        unsafe next.initialize(repeating: 0, count: 4 * self.capacity)
        unsafe limits = unsafe next + self.capacity
        unsafe origins = unsafe limits + self.capacity
        unsafe ends = unsafe origins + self.capacity
        unsafe variables = .allocate(capacity: RuleNumbers.limit)
        unsafe variables.initialize(repeating: 0, count: RuleNumbers.limit)
        unsafe decoded = .allocate(capacity: Base64Text.decodedLimit)
        unsafe decoded.initialize(repeating: 0, count: Base64Text.decodedLimit)
        unsafe decodedCount = .allocate(capacity: 1)
        unsafe decodedCount.initialize(to: 0)
        unsafe frequencies = .allocate(capacity: 256)
        unsafe frequencies.initialize(repeating: 0, count: 256)
    }

    func deallocate() {
        unsafe next.deallocate()
        unsafe variables.deallocate()
        unsafe decoded.deallocate()
        unsafe decodedCount.deallocate()
        unsafe frequencies.deallocate()
        unsafe expressions.deallocate()
    }

    var memoryBytes: Int {
        unsafe 4 * capacity * MemoryLayout<Int32>.stride + RuleNumbers.limit * MemoryLayout<UInt64>.stride
            + Base64Text.decodedLimit + MemoryLayout<Int32>.stride + 256 * MemoryLayout<UInt32>.stride
    }

    var decodedText: Subtext { unsafe Subtext(bytes: decoded, length: decodedCount.pointee) }
}

/// The bytes that a part of a rule is asked about.
@unsafe
struct Subtext {
    var bytes: UnsafePointer<UInt8>
    var length: Int32
    /// How far into its stream the first byte is; 0 for what is whole.
    var origin: Int64 = 0
}
