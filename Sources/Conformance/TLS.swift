import Evidence
import Wire

extension Checks {
    static let tls = [
        ConformanceCheck(
            .tlsRecordType, "tls.record_type", .medium, .alert, "a TLS record of an unknown type",
            "RFC 8446 §5.1, IANA tls-parameters"),
        ConformanceCheck(
            .tlsRecordVersion, "tls.record_version", .medium, .alert,
            "a TLS record whose version does not begin with 3",
            "RFC 8446 §5.1"),
        ConformanceCheck(
            .tlsRecordTooLong, "tls.record_too_long", .medium, .alert, "a TLS record longer than 16,384 + 2,048 bytes",
            "RFC 5246 §6.2.3, RFC 8446 §5.2"),
        ConformanceCheck(
            .tlsRecordEmpty, "tls.record_empty", .medium, .alert, "an empty TLS record that is no application data",
            "RFC 8446 §5.1"),
        ConformanceCheck(
            .tlsClientHello, "tls.client_hello", .medium, .alert, "lengths within a TLS ClientHello that do not add up",
            "RFC 8446 §4.1.2, RFC 5246 §7.4.1.2"),
    ]
}

/// The records of a TLS connection (RFC 8446 §5.1): type, version, length.
enum TLSRecords {
    private static let headerSize = 5
    private static let longest = 1 << 14 + 2048

    /// Looks at the records that begin in the first bytes of a stream.
    static func examine(_ stream: RawSpan, _ failed: inout CheckSet) {
        var offset = 0
        var isFirst = true
        // As many as a flight of a handshake has.
        for _ in 0..<16 where stream.byteCount - offset >= headerSize {
            let type = stream.be8(offset)
            let length = Int(stream.be16(offset + 3))
            guard (20...24).contains(type) else { return failed.insert(.tlsRecordType) }
            guard stream.be8(offset + 1) == 3 else { return failed.insert(.tlsRecordVersion) }
            guard length <= longest else { return failed.insert(.tlsRecordTooLong) }
            if length == 0, type != 23 { return failed.insert(.tlsRecordEmpty) }
            let end = offset + headerSize + length
            if isFirst, type == 22, end <= stream.byteCount {
                examineHello(stream.clamped(offset + headerSize, end), &failed)
            }
            isFirst = false
            offset = end
        }
    }

    /// A handshake message that is whole in its record, if it is a ClientHello: each list within has its length
    /// before it.
    private static func examineHello(_ record: RawSpan, _ failed: inout CheckSet) {
        guard record.byteCount >= 4, record.be8(0) == 1 else { return }
        let end = 4 + Int(record.be32(0) & 0xFF_FFFF)
        guard end <= record.byteCount else { return }
        // Version and random, then the session's identifier.
        var offset = 4 + 34
        guard offset < end, record.be8(offset) <= 32 else { return failed.insert(.tlsClientHello) }
        offset += 1 + Int(record.be8(offset))
        guard offset + 2 <= end else { return failed.insert(.tlsClientHello) }
        let suites = Int(record.be16(offset))
        offset += 2 + suites
        guard suites >= 2, suites & 1 == 0, offset < end, record.be8(offset) > 0 else {
            return failed.insert(.tlsClientHello)
        }
        offset += 1 + Int(record.be8(offset))
        // No extensions at all are possible before TLS 1.3.
        guard offset != end else { return }
        guard offset + 2 <= end, offset + 2 + Int(record.be16(offset)) == end else {
            return failed.insert(.tlsClientHello)
        }
        offset += 2
        while offset < end {
            guard offset + 4 <= end else { return failed.insert(.tlsClientHello) }
            offset += 4 + Int(record.be16(offset + 2))
        }
        if offset != end { failed.insert(.tlsClientHello) }
    }
}
