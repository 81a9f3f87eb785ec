/// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) over whole words: who sees
/// many of its values learns nothing of the others.
struct SipHash: Sendable, BitwiseCopyable {
    let low: UInt64
    let high: UInt64

    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    static func random() -> SipHash {
        SipHash(low: .random(in: .min ... .max), high: .random(in: .min ... .max))
    }

    /// The hash of six words.
    func hash(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64, _ e: UInt64, _ f: UInt64) -> UInt64 {
        var state = State(self)
        state.take(a)
        state.take(b)
        state.take(c)
        state.take(d)
        state.take(e)
        state.take(f)
        return state.finish(bytes: 48)
    }

    struct State {
        private var v0, v1, v2, v3: UInt64

        init(_ key: SipHash) {
            v0 = key.low ^ 0x736f_6d65_7073_6575
            v1 = key.high ^ 0x646f_7261_6e64_6f6d
            v2 = key.low ^ 0x6c79_6765_6e65_7261
            v3 = key.high ^ 0x7465_6462_7974_6573
        }

        @inline(__always)
        mutating func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        /// `bytes` is the length of all that was taken.
        @inline(__always)
        mutating func finish(bytes: Int) -> UInt64 {
            take(UInt64(truncatingIfNeeded: bytes) << 56)
            v2 ^= 0xFF
            for _ in 0..<4 { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        @inline(__always)
        private mutating func round() {
            v0 &+= v1
            v2 &+= v3
            v1 = (v1 << 13 | v1 >> 51) ^ v0
            v3 = (v3 << 16 | v3 >> 48) ^ v2
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v1
            v0 &+= v3
            v1 = (v1 << 17 | v1 >> 47) ^ v2
            v3 = (v3 << 21 | v3 >> 43) ^ v0
            v2 = v2 << 32 | v2 >> 32
        }
    }
}
