/// A question to a name server in its plainest form (RFC 1035 §4.1): one question, no answers. What else the message
/// has, such as EDNS (RFC 6891), stands behind it and is not looked at.
public struct DNSQuery: ~Escapable {
    public static var port: UInt16 { 53 }
    public static var headerSize: Int { 12 }
    /// The header, a name of 255 bytes, type and class.
    public static var longest: Int { headerSize + longestName + 4 }
    private static var longestName: Int { 255 }

    /// The header and the question.
    public let bytes: RawSpan

    /// `message` is all that the datagram carries. nil for what is no such query, or not whole.
    @_lifetime(copy message)
    public init?(_ message: RawSpan) {
        guard message.byteCount > DNSQuery.headerSize,
            // A query, a standard one, of which nothing was cut (QR, Opcode, AA, TC).
            message.be8(2) & 0xFE == 0,
            message.be16(4) == 1, message.be16(6) == 0, message.be16(8) == 0
        else { return nil }
        let first = DNSQuery.headerSize
        var end = first
        while end < message.byteCount, message.be8(end) != 0 {
            let label = Int(message.be8(end))
            // A question has no other name before it that it could point to.
            guard label < 64, end + 1 + label - first < DNSQuery.longestName else { return nil }
            end += 1 + label
        }
        // The root's empty label, type and class.
        guard end + 5 <= message.byteCount else { return nil }
        bytes = message.clamped(0, end + 5)
    }
}
