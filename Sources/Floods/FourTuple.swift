import Wire

/// Who asks whom for a TCP connection, and between which ports.
struct FourTuple: Sendable, BitwiseCopyable, Equatable {
    var source: Address
    var destination: Address
    var sourcePort: UInt16
    var destinationPort: UInt16

    @inline(__always)
    init(_ packet: Packet) {
        source = packet.source
        destination = packet.destination
        sourcePort = packet.sourcePort
        destinationPort = packet.destinationPort
    }

    @inline(__always)
    var ports: UInt64 { UInt64(sourcePort) << 16 | UInt64(destinationPort) }
}

extension SecretHash {
    /// Of a connection request: its sequence number counts.
    @inline(__always)
    func hash(_ tuple: FourTuple, sequence: UInt32 = 0) -> UInt64 {
        hash(
            hash(tuple.source.high, tuple.source.low) &+ (tuple.ports << 32 | UInt64(sequence)),
            and: hash(tuple.destination))
    }
}
