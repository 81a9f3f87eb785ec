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

    init(source: Address, destination: Address, sourcePort: UInt16 = 0, destinationPort: UInt16 = 0) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    @inline(__always)
    var ports: UInt64 { UInt64(sourcePort) << 16 | UInt64(destinationPort) }
}

extension SecretHash {
    /// Of a connection request: its sequence number counts.
    @inline(__always)
    func hash(_ tuple: FourTuple, sequence: UInt32 = 0) -> UInt64 {
        hash(tuple, from: hash(tuple.source), sequence: sequence)
    }

    /// The same, where the hash of the source is known.
    @inline(__always)
    func hash(_ tuple: FourTuple, from source: UInt64, sequence: UInt32 = 0) -> UInt64 {
        hash(source &+ (tuple.ports << 32 | UInt64(sequence)), and: hash(tuple.destination))
    }
}
