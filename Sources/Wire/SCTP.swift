/// An SCTP common header and the chunks behind it (RFC 9260 §3).
public struct SCTPPacket: ~Escapable {
    /// Of the common header.
    public static var headerSize: Int { 12 }

    public let bytes: RawSpan

    /// nil for less than 12 bytes.
    @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= SCTPPacket.headerSize else { return nil }
        self.bytes = bytes
    }

    public var sourcePort: UInt16 { bytes.be16(0) }
    public var destinationPort: UInt16 { bytes.be16(2) }
    public var verificationTag: UInt32 { bytes.be32(4) }
    public var chunks: SCTPChunks {
        @_lifetime(copy self) get { SCTPChunks(bytes.from(SCTPPacket.headerSize)) }
    }
}

/// One chunk: type, flags, length, value, each beginning on a multiple of four bytes.
public struct SCTPChunk: Equatable, Sendable {
    public var type: UInt8
    /// From the start of the common header, and with the chunk's own header of 4 bytes.
    public var offset: Int
    public var length: Int

    public static var data: UInt8 { 0 }
    public static var initiation: UInt8 { 1 }
    public static var initiationAcknowledgement: UInt8 { 2 }
    public static var abort: UInt8 { 6 }

    /// A DATA chunk's header with what numbers the data (RFC 9260 §3.3.1).
    public static var dataHeaderSize: Int { 16 }
}

/// Walks the chunks, each at least four bytes long.
public struct SCTPChunks: ~Escapable {
    let bytes: RawSpan
    private var position = 0
    /// Less than a chunk's header was left; a length was impossible.
    public private(set) var isCut = false
    public private(set) var isMalformed = false

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    public mutating func next() -> SCTPChunk? {
        guard position < bytes.byteCount, !isCut, !isMalformed else { return nil }
        let left = bytes.byteCount - position
        guard left >= 4 else {
            isCut = true
            return nil
        }
        let length = Int(bytes.be16(position + 2))
        guard (4...left).contains(length) else {
            isMalformed = true
            return nil
        }
        defer { position += (length + 3) & ~3 }
        return SCTPChunk(
            type: bytes.be8(position), offset: SCTPPacket.headerSize + position, length: length)
    }
}

extension Decoder {
    /// Chunks, and DATA chunks, of which there are seldom more.
    private static var usualChunks: Int { 16 }

    /// The payload is what the first DATA chunk carries. `start` is where `bytes` begin in the packet.
    static func readSCTP(_ bytes: RawSpan, _ start: Int, _ cut: Bool, _ packet: inout Packet) {
        guard let message = SCTPPacket(bytes) else { return packet.halt(.sctpPktTooSmall, cut: cut) }
        packet.sourcePort = message.sourcePort
        packet.destinationPort = message.destinationPort
        packet.transportLength = UInt16(truncatingIfNeeded: SCTPPacket.headerSize)
        packet.setPayload(start + bytes.byteCount, end: start + bytes.byteCount)
        var chunks = message.chunks
        var (count, dataCount) = (0, 0)
        var begins = false
        while let chunk = chunks.next() {
            count += 1
            if count == usualChunks + 1 { packet.note(.sctpTooManyChunks) }
            switch chunk.type {
            case SCTPChunk.data:
                if message.verificationTag == 0 { packet.note(.sctpDataWithZeroVtag) }
                guard chunk.length >= SCTPChunk.dataHeaderSize else { continue }
                dataCount += 1
                if dataCount == 1 {
                    packet.setPayload(
                        start + chunk.offset + SCTPChunk.dataHeaderSize,
                        end: start + chunk.offset + chunk.length)
                } else if dataCount == usualChunks + 1 {
                    packet.note(.sctpTooManyDataChunks)
                }
            case SCTPChunk.initiation:
                begins = true
                if message.verificationTag != 0 { packet.note(.sctpInitWithNonZeroVtag) }
            case SCTPChunk.initiationAcknowledgement: begins = true
            default: break
            }
        }
        if begins, count > 1 { packet.note(.sctpInitChunkBundled) }
        if chunks.isCut { packet.halt(.sctpChunkTooSmall, cut: cut) }
        if chunks.isMalformed { packet.halt(.sctpChunkLenInvalid, cut: cut) }
    }
}
