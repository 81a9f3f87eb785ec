import Evidence
import Wire

extension Checks {
    static let netbios = [
        ConformanceCheck(
            .netbiosType, "netbios.type", .medium, .alert, "a NetBIOS session message of an unknown type",
            "RFC 1002 §4.3.1, MS-SMB2 §2.1"),
        ConformanceCheck(
            .netbiosLength, "netbios.length", .medium, .alert,
            "a NetBIOS session message of no length, or of more than 17 bits at port 139", "RFC 1002 §4.3.1"),
        ConformanceCheck(
            .smbProtocol, "smb.protocol", .medium, .alert, "a session message that is no SMB message",
            "MS-CIFS §2.2.3.1, MS-SMB2 §2.2.1"),
        ConformanceCheck(
            .smbHeader, "smb.header", .medium, .alert,
            "an SMB header cut off, of a wrong size, or with counts beyond the message",
            "MS-CIFS §2.2.3, MS-SMB2 §2.2.1"),
    ]
}

/// The session service of NetBIOS over TCP (RFC 1002 §4.3.1), and what of it stands before SMB at port 445
/// (MS-SMB2 §2.1): type, length in 24 bits.
enum NetBIOSSession {
    static let headerSize = 4

    /// Looks at the messages that begin in the first bytes of a stream.
    static func examine(_ stream: RawSpan, isDirect: Bool, _ failed: inout CheckSet) {
        var offset = 0
        // As many as anybody sends at once.
        for _ in 0..<16 where stream.byteCount - offset >= headerSize {
            let type = stream.be8(offset)
            let length = Int(stream.be32(offset) & 0xFF_FFFF)
            // Message, request, positive and negative response, retarget, keep alive.
            let isKnown = type == 0 || type == 0x85 || !isDirect && (0x81...0x84).contains(type)
            guard isKnown else { return failed.insert(.netbiosType) }
            if type == 0, length == 0 || !isDirect && length > 0x1_FFFF { return failed.insert(.netbiosLength) }
            let end = offset + headerSize + length
            if type == 0 {
                let message = stream.clamped(offset + headerSize, end)
                if message.byteCount >= 4 { examineSMB(message, length: length, &failed) }
            }
            offset = end
        }
    }

    /// `message` is what is there of it, four bytes at least; `length` what there is to be.
    private static func examineSMB(_ message: RawSpan, length: Int, _ failed: inout CheckSet) {
        let isWhole = message.byteCount == length
        // "SMB" behind a byte that says which: 1, 2 and 3, encrypted, compressed.
        guard message.be32(0) & 0xFF_FFFF == 0x53_4D42 else { return failed.insert(.smbProtocol) }
        switch message.be8(0) {
        case 0xFF:
            guard length >= 35 else { return failed.insert(.smbHeader) }
            guard message.byteCount >= 35 else { return }
            // A count of words, the words, a count of bytes, the bytes.
            let bytes = 33 + Int(message.be8(32)) * 2
            guard bytes + 2 <= length else { return failed.insert(.smbHeader) }
            guard isWhole else { return }
            let count = Int(message.be16(bytes).byteSwapped)
            if bytes + 2 + count > length { failed.insert(.smbHeader) }
        case 0xFE:
            guard length >= 64 else { return failed.insert(.smbHeader) }
            if message.byteCount >= 6, message.be16(4).byteSwapped != 64 { failed.insert(.smbHeader) }
        case 0xFD: if length < 52 { failed.insert(.smbHeader) }
        case 0xFC: if length < 16 { failed.insert(.smbHeader) }
        default: failed.insert(.smbProtocol)
        }
    }
}
