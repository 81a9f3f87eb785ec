import Wire

/// Who asks whom, as far as plain headers say so: enough to begin to fetch what will be looked up for a packet
/// before it is decoded. A hint: nothing is decided by it, and what it does not understand is not foreseen.
struct Glance: BitwiseCopyable {
    var tuple: FourTuple
    /// It asks for a connection, with sequence number `sequence`.
    var isRequest = false
    var sequence: UInt32 = 0

    /// `bytes` begin with an IP header; nil for what is shorter than one.
    @inline(__always)
    init?(_ bytes: RawSpan) {
        let transport: Int
        guard let header = IPv4Header(bytes) else { return nil }
        if header.version == 4 {
            tuple = FourTuple(source: header.source, destination: header.destination)
            guard header.protocol == IPProtocol.tcp else { return }
            transport = header.headerLength
        } else {
            guard let header = IPv6Header(bytes) else { return nil }
            tuple = FourTuple(source: header.source, destination: header.destination)
            guard header.nextHeader == IPProtocol.tcp else { return }
            transport = IPv6Header.size
        }
        guard transport <= bytes.byteCount, let header = TCPHeader(bytes.extracting(transport..<bytes.byteCount))
        else { return }
        tuple.sourcePort = header.sourcePort
        tuple.destinationPort = header.destinationPort
        isRequest = header.flags.intersection([.syn, .ack]) == .syn
        sequence = header.sequence
    }
}
