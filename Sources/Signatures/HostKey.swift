import Wire

/// What is remembered of a host, or of a pair of hosts in either order: 64 bits of a keyed hash, so that nobody
/// who does not know the seed can choose two that are the same. Never 0.
struct HostKey {
    private(set) var hash: UInt64

    /// `number` says what is remembered.
    init(_ number: UInt64, _ first: Address = .none, _ second: Address = .none, seed: UInt64) {
        let (a, b) = first < second ? (first, second) : (second, first)
        var hash = seed ^ number &* 0x9E37_79B9_7F4A_7C15
        hash = HostKey.mixed(HostKey.mixed(HostKey.mixed(HostKey.mixed(hash, a.high), a.low), b.high), b.low)
        hash = hash &* 0x94D0_49BB_1331_11EB ^ hash >> 31
        self.hash = hash == 0 ? 1 : hash
    }

    /// Something of what this key is about, told from others of it by `part`.
    func part(_ part: UInt64) -> HostKey {
        var other = self
        other.hash = HostKey.mixed(hash, part &* 0x9E37_79B9_7F4A_7C15) &* 0x94D0_49BB_1331_11EB
        if other.hash == 0 { other.hash = 1 }
        return other
    }

    private static func mixed(_ hash: UInt64, _ part: UInt64) -> UInt64 {
        let product = (hash ^ part) &* 0xBF58_476D_1CE4_E5B9
        return product ^ product >> 29
    }
}
