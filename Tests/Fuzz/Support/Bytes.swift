/// What libFuzzer hands over: its memory ends where the input does, so that AddressSanitizer sees a byte read
/// beyond it.
struct Input {
    private let start: UnsafePointer<UInt8>?
    private let count: Int

    init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        self.start = start
        self.count = count
    }

    /// The first byte, which says how to take the rest.
    var control: UInt8 { count > 0 ? start![0] : 0 }

    /// Lends what comes after the first byte.
    func withRest<T>(_ body: (RawSpan) -> T) -> T {
        let rest =
            count > 1
            ? UnsafeRawBufferPointer(start: start! + 1, count: count - 1) : UnsafeRawBufferPointer(start: nil, count: 0)
        return body(rest.bytes)
    }

    /// All of it as text, what is not UTF-8 replaced.
    var text: String { String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) }
}
