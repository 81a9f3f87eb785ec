extension Packet {
    /// A number for the flow, the same for both directions: over addresses, ports, upper protocol and VLAN
    /// identifiers. All 64 bits are well mixed, so any of them may serve as a table index. With a `seed`
    /// that is secret, nobody outside can choose packets that collide.
    ///
    /// A later fragment has no ports, and so another number than the first.
    ///
    /// Each end is hashed alone and the two are added, which is what makes it symmetric; the mixing step is
    /// the folded 64 × 64 → 128 multiplication of wyhash (Wang Yi, "wyhash", final version 4).
    @inlinable
    public func flowHash(seed: UInt64) -> UInt64 {
        let ends =
            FlowHash.end(source, sourcePort, seed)
            &+ FlowHash.end(destination, destinationPort, seed)
        let rest =
            UInt64(ipProtocol) | UInt64(outerTag & 0x0FFF) << 8 | UInt64(innerTag & 0x0FFF) << 20
            | UInt64(ipVersion) << 32
        return FlowHash.fold(ends ^ FlowHash.secret.2, rest ^ seed ^ FlowHash.secret.3)
    }
}

@usableFromInline
enum FlowHash {
    /// wyhash's default secret: odd, with 32 of 64 bits set, each pair 32 bits apart.
    @inlinable
    static var secret: (UInt64, UInt64, UInt64, UInt64) {
        (0x2D35_8DCC_AA6C_78A5, 0x8BB8_4B93_962E_ACC9, 0x4B33_A62E_D433_D4A3, 0x4D5A_2DA5_1DE1_AA47)
    }

    @inlinable @inline(__always)
    static func end(_ address: Address, _ port: UInt16, _ seed: UInt64) -> UInt64 {
        let mixed = fold(address.high ^ seed ^ secret.0, address.low ^ seed.byteSwapped ^ secret.1)
        return mixed ^ (UInt64(port) &* secret.2)
    }

    @inlinable @inline(__always)
    static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
