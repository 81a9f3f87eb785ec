public import Wire

/// Hashes under a secret, so that nobody outside can choose addresses or ports that collide.
///
/// For tables only: fast, and uniform, but no proof of anything. What a stranger has to prove is keyed
/// with `SipHash`.
public struct SecretHash: Sendable, BitwiseCopyable {
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64
    @usableFromInline let third: UInt64

    public init(seed: UInt64) {
        // SplitMix64 (Steele et al. 2014), so that the three have nothing in common.
        var state = seed
        func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            return SecretHash.mix(state)
        }
        first = next()
        second = next()
        third = next() | 1
    }

    @inlinable @inline(__always)
    public func hash(_ address: Address) -> UInt64 {
        fold(fold(address.high ^ first, address.low ^ second), third)
    }

    /// Of an address and a small number, such as the host and class that it sends to.
    @inlinable @inline(__always)
    public func hash(_ address: Address, _ number: UInt64) -> UInt64 {
        fold(fold(address.high ^ first, address.low ^ second) ^ number, third)
    }

    @inlinable @inline(__always)
    public func hash(_ tuple: FourTuple) -> UInt64 { hash(tuple, third) }

    /// Of a connection request: its sequence number counts.
    @inlinable @inline(__always)
    public func hash(_ tuple: FourTuple, sequence: UInt32) -> UInt64 { hash(tuple, third ^ UInt64(sequence) << 32) }

    @inlinable @inline(__always)
    func hash(_ tuple: FourTuple, _ key: UInt64) -> UInt64 {
        let source = fold(tuple.source.high ^ first, tuple.source.low ^ second)
        let destination = fold(tuple.destination.high ^ second, tuple.destination.low ^ first)
        return fold(source ^ tuple.ports, destination.byteSwapped ^ key)
    }

    /// The folded 64 × 64 → 128 multiplication of wyhash (Wang Yi, "wyhash", final version 4).
    @inlinable @inline(__always)
    func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    private static func mix(_ number: UInt64) -> UInt64 {
        var z = number
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// Who asks whom for a TCP connection, and between which ports.
public struct FourTuple: Sendable, BitwiseCopyable, Equatable {
    public var source: Address
    public var destination: Address
    public var sourcePort: UInt16
    public var destinationPort: UInt16

    @inlinable @inline(__always)
    public init(_ packet: Packet) {
        source = packet.source
        destination = packet.destination
        sourcePort = packet.sourcePort
        destinationPort = packet.destinationPort
    }

    @inlinable @inline(__always)
    public var ports: UInt64 { UInt64(sourcePort) << 16 | UInt64(destinationPort) }
}
