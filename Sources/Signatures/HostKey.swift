import Wire

/// What is remembered of a host, or of a pair of hosts in either order: 64 bits of a keyed hash, so that nobody
/// who does not know the seed can choose two that are the same. Never 0.
struct HostKey {
    let hash: UInt64
    private let secret: SecretHash

    /// `number` says what is remembered.
    init(_ number: UInt64, _ first: Address = .none, _ second: Address = .none, secret: SecretHash) {
        let (a, b) = first < second ? (first, second) : (second, first)
        self.init(secret.hash(secret.hash(secret.hash(a), and: secret.hash(b)), and: number), secret)
    }

    private init(_ hash: UInt64, _ secret: SecretHash) {
        self.hash = max(1, hash)
        self.secret = secret
    }

    /// Something of what this key is about, told from others of it by `part`.
    func part(_ part: UInt64) -> HostKey { HostKey(secret.hash(hash, and: part), secret) }
}
