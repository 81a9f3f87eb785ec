import Evidence
import Wire

extension Checks {
    static let http = [
        ConformanceCheck(
            .httpRequestLine, "http.request_line", .medium, .alert,
            "an HTTP request line that is not method, target and version", "RFC 9112 §3"),
        ConformanceCheck(
            .httpRequestLineTooLong, "http.request_line_too_long", .medium, .alert,
            "an HTTP request line longer than 8,000 bytes", "RFC 9112 §3"),
        ConformanceCheck(
            .httpHeaderLine, "http.header_line", .medium, .alert,
            "an HTTP header line without a colon, with a blank before it, folded, or with a NUL",
            "RFC 9112 §5.1, §5.2, RFC 9110 §5.5"),
        ConformanceCheck(
            .httpHeaderTooLong, "http.header_too_long", .medium, .alert,
            "an HTTP header line longer than 8,000 bytes, or more than 100 of them", "RFC 9110 §5.4"),
        ConformanceCheck(
            .httpAmbiguousLength, "http.ambiguous_length", .high, .alert,
            "an HTTP message with two lengths: request smuggling", "RFC 9112 §6.3, §11.2", reason: .evasion),
    ]
}

/// The head of an HTTP/1 message (RFC 9112), as far as it stands in the first bytes of a stream.
enum HTTPHead {
    private static let lineLimit = 8_000
    private static let headerLimit = 100

    static func examine(_ stream: RawSpan, isRequest: Bool, _ failed: inout CheckSet) {
        var lines = Lines(stream)
        guard let first = lines.next() else {
            if isRequest, stream.byteCount > lineLimit { failed.insert(.httpRequestLineTooLong) }
            return
        }
        if isRequest {
            if first.byteCount > lineLimit { failed.insert(.httpRequestLineTooLong) }
            if !isRequestLine(first) { failed.insert(.httpRequestLine) }
        }
        var lengths = Lengths()
        var count = 0
        var isWhole = false
        while !isWhole, let line = lines.next() {
            if line.byteCount == 0 {
                isWhole = true
                continue
            }
            count += 1
            if line.byteCount > lineLimit || count > headerLimit { return failed.insert(.httpHeaderTooLong) }
            guard let name = nameLength(line) else { return failed.insert(.httpHeaderLine) }
            lengths.add(line, name)
        }
        if !isWhole, lines.rest > lineLimit { failed.insert(.httpHeaderTooLong) }
        if lengths.isAmbiguous { failed.insert(.httpAmbiguousLength) }
    }

    /// A token, a blank, what has no blank and no control character, a blank, the version (RFC 9112 §3).
    private static func isRequestLine(_ line: RawSpan) -> Bool {
        var offset = 0
        while offset < line.byteCount, isOfToken(line.be8(offset)) { offset += 1 }
        guard offset > 0, offset < line.byteCount, line.be8(offset) == 0x20 else { return false }
        let target = offset + 1
        offset = target
        while offset < line.byteCount, line.be8(offset) > 0x20, line.be8(offset) != 0x7F { offset += 1 }
        // HTTP/1.0, HTTP/1.1
        guard offset > target, line.byteCount - offset == 9, line.be8(offset) == 0x20 else { return false }
        return line.be32(offset + 1) == 0x4854_5450 && line.be16(offset + 5) == 0x2F31 && line.be8(offset + 7) == 0x2E
            && (0x30...0x39).contains(line.be8(offset + 8))
    }

    /// Bytes of the name before the colon; nil for a line that is no header.
    private static func nameLength(_ line: RawSpan) -> Int? {
        var offset = 0
        while offset < line.byteCount, isOfToken(line.be8(offset)) { offset += 1 }
        guard offset > 0, offset < line.byteCount, line.be8(offset) == 0x3A else { return nil }
        for place in offset + 1..<line.byteCount where line.be8(place) == 0 || line.be8(place) == 0x0D { return nil }
        return offset
    }

    /// RFC 9110 §5.6.2.
    private static func isOfToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x5E...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x7C, 0x7E: true
        default: false
        }
    }

    /// What the headers say of how long the body is.
    private struct Lengths {
        var stated: UInt64?
        var isChunked = false
        var isAmbiguous: Bool { contradicts || isChunked && stated != nil }
        private var contradicts = false

        mutating func add(_ line: RawSpan, _ nameLength: Int) {
            if nameLength == 17, HTTPHead.begins(line, with: "transfer-encoding") { isChunked = true }
            guard nameLength == 14, HTTPHead.begins(line, with: "content-length") else { return }
            guard let length = Lengths.number(line, after: nameLength + 1), stated == nil || stated == length else {
                contradicts = true
                return
            }
            stated = length
        }

        private static func number(_ line: RawSpan, after start: Int) -> UInt64? {
            var (start, end) = (start, line.byteCount)
            while start < end, line.be8(start) == 0x20 || line.be8(start) == 9 { start += 1 }
            while end > start, line.be8(end - 1) == 0x20 || line.be8(end - 1) == 9 { end -= 1 }
            guard start < end, end - start <= 19 else { return nil }
            var value: UInt64 = 0
            for place in start..<end {
                guard (0x30...0x39).contains(line.be8(place)) else { return nil }
                value = value * 10 + UInt64(line.be8(place) - 0x30)
            }
            return value
        }
    }

    /// `word` is in small letters, and no longer than the line.
    private static func begins(_ line: RawSpan, with word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            for index in 0..<word.count where unsafe line.be8(index) | 0x20 != word[index] { return false }
            return true
        }
    }

    /// Lines that end in LF, without it and the CR before it.
    private struct Lines: ~Escapable {
        private let bytes: RawSpan
        private var offset = 0

        @_lifetime(copy bytes)
        init(_ bytes: RawSpan) { self.bytes = bytes }

        /// Bytes behind the last line that was given out.
        var rest: Int { bytes.byteCount - offset }

        @_lifetime(copy self)
        mutating func next() -> RawSpan? {
            var end = offset
            while end < bytes.byteCount, bytes.be8(end) != 0x0A { end += 1 }
            guard end < bytes.byteCount else { return nil }
            let line = bytes.clamped(offset, end > offset && bytes.be8(end - 1) == 0x0D ? end - 1 : end)
            offset = end + 1
            return line
        }
    }
}
