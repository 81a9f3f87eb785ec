/// Hashes under a secret, so that nobody outside can choose addresses or ports that collide: the tables of flows,
/// datagrams, hosts and sources are all found by it.
///
/// For tables only: fast, and all 64 bits uniform, but no proof of anything. What a stranger has to prove is keyed
/// with `SipHash`. The step is the folded 64 × 64 → 128 multiplication of wyhash (Wang Yi, "wyhash", final
/// version 4) with the secret in both factors: two words that are to collide can only be chosen by who knows it.
/// A sum or a xor of words that are chosen outside is therefore never hashed, only words beside each other.
public struct SecretHash: Sendable, BitwiseCopyable {
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64
    @usableFromInline let third: UInt64

    public init(seed: UInt64) {
        // SplitMix64 (Steele et al. 2014), so that the three have nothing in common.
        var state = seed
        func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
        first = next()
        second = next()
        third = next() | 1
    }

    /// Of two words.
    @inlinable @inline(__always)
    public func hash(_ a: UInt64, _ b: UInt64) -> UInt64 {
        SecretHash.fold(SecretHash.fold(a ^ first, b ^ second), third)
    }

    /// Of what has been hashed and another word.
    @inlinable @inline(__always)
    public func hash(_ hash: UInt64, and word: UInt64) -> UInt64 { SecretHash.fold(hash ^ first, word ^ second) }

    @inlinable @inline(__always)
    public func hash(_ address: Address) -> UInt64 { hash(address.high, address.low) }

    /// Of an address and a small number, such as its port, or the host and class that it sends to.
    @inlinable @inline(__always)
    public func hash(_ address: Address, _ number: UInt64) -> UInt64 {
        SecretHash.fold(SecretHash.fold(address.high ^ first, address.low ^ second) ^ number, third)
    }

    /// Of a flow, the same for both directions: each end is hashed by itself before they are added. `rest` is what
    /// both directions have in common.
    @inlinable @inline(__always)
    public func hash(
        _ source: Address, _ sourcePort: UInt16, _ destination: Address, _ destinationPort: UInt16, rest: UInt64
    ) -> UInt64 {
        hash(hash(source, UInt64(sourcePort)) &+ hash(destination, UInt64(destinationPort)), and: rest)
    }

    @inlinable @inline(__always)
    static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}

extension Packet {
    /// A number for the flow, the same for both directions: over addresses, ports, upper protocol, VLAN identifiers,
    /// and `outer`, whatever else there is to tell flows apart by.
    ///
    /// A later fragment has no ports, and so another number than the first.
    public func flowHash(_ hash: SecretHash, outer: UInt16 = 0) -> UInt64 {
        let rest =
            UInt64(ipProtocol) | UInt64(outerTag & 0x0FFF) << 8 | UInt64(innerTag & 0x0FFF) << 20
            | UInt64(ipVersion) << 32 | UInt64(outer) << 40
        return hash.hash(source, sourcePort, destination, destinationPort, rest: rest)
    }
}
