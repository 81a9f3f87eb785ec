import Wire

/// JSON text built by hand into a buffer that is used again: no intermediate objects, a few
/// nanoseconds a field. Commas are its own business; braces are the caller's.
struct JSONLine {
    var bytes: [UInt8] = []
    private var needsComma = false

    private static let hex = Array("0123456789abcdef".utf8)
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    mutating func openObject() { open("{") }
    mutating func closeObject() { close("}") }
    mutating func openArray() { open("[") }
    mutating func closeArray() { close("]") }

    /// Ends the document: every event is one line.
    mutating func endLine() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    mutating func key(_ name: StaticString) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        raw(name)
        raw("\":")
        needsComma = false
    }

    /// A name that is not ours, so it is escaped.
    mutating func key(text name: String) {
        comma()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func value(_ text: String) {
        comma()
        quote(text)
        needsComma = true
    }

    mutating func value(_ text: StaticString) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        raw(text)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    mutating func value(_ number: UInt64) {
        comma()
        decimal(number)
        needsComma = true
    }

    mutating func value(_ number: some BinaryInteger) {
        comma()
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        decimal(UInt64(number.magnitude))
        needsComma = true
    }

    mutating func value(_ flag: Bool) {
        comma()
        raw(flag ? "true" : "false")
        needsComma = true
    }

    /// Nanoseconds as seconds with three decimals.
    mutating func value(seconds nanoseconds: UInt64) {
        comma()
        decimal(nanoseconds / 1_000_000_000)
        bytes.append(UInt8(ascii: "."))
        digits(nanoseconds / 1_000_000 % 1000, count: 3)
        needsComma = true
    }

    /// IPv6 in full, each group of four digits, as Suricata writes it.
    mutating func value(_ address: Address) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        if address.isV4 {
            for shift: UInt64 in [24, 16, 8, 0] {
                decimal(address.low >> shift & 255)
                if shift != 0 { bytes.append(UInt8(ascii: ".")) }
            }
        } else {
            for (half, last) in [(address.high, false), (address.low, true)] {
                for shift in stride(from: UInt64(60), through: 0, by: -4) {
                    bytes.append(JSONLine.hex[Int(truncatingIfNeeded: half >> shift & 15)])
                    if shift & 15 == 0, shift != 0 || !last { bytes.append(UInt8(ascii: ":")) }
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// A MAC address, its first byte in bits 47…40.
    mutating func value(mac: UInt64) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        for shift in stride(from: UInt64(40), through: 0, by: -8) {
            let byte = Int(truncatingIfNeeded: mac >> shift & 255)
            bytes.append(JSONLine.hex[byte >> 4])
            bytes.append(JSONLine.hex[byte & 15])
            if shift != 0 { bytes.append(UInt8(ascii: ":")) }
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Nanoseconds since the Unix epoch as `2026-11-23T21:18:39.123456+0000`. Always UTC, and it says so:
    /// a local zone would make an hour a year ambiguous.
    mutating func value(time: UInt64) {
        comma()
        let seconds = time / 1_000_000_000
        let (year, month, day) = JSONLine.civil(days: seconds / 86_400)
        bytes.append(UInt8(ascii: "\""))
        digits(year, count: 4)
        bytes.append(UInt8(ascii: "-"))
        digits(month, count: 2)
        bytes.append(UInt8(ascii: "-"))
        digits(day, count: 2)
        bytes.append(UInt8(ascii: "T"))
        digits(seconds / 3600 % 24, count: 2)
        bytes.append(UInt8(ascii: ":"))
        digits(seconds / 60 % 60, count: 2)
        bytes.append(UInt8(ascii: ":"))
        digits(seconds % 60, count: 2)
        bytes.append(UInt8(ascii: "."))
        digits(time / 1000 % 1_000_000, count: 6)
        raw("+0000\"")
        needsComma = true
    }

    /// RFC 4648 §4, with padding.
    mutating func value(base64 data: RawSpan, after prefix: StaticString = "") {
        comma()
        bytes.append(UInt8(ascii: "\""))
        raw(prefix)
        bytes.reserveCapacity(bytes.count + (data.byteCount + 2) / 3 * 4 + 1)
        var offset = 0
        while offset < data.byteCount {
            let left = data.byteCount - offset
            var word = unsafe UInt32(data.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) << 16
            if left > 1 { word |= unsafe UInt32(data.unsafeLoad(fromByteOffset: offset + 1, as: UInt8.self)) << 8 }
            if left > 2 { word |= unsafe UInt32(data.unsafeLoad(fromByteOffset: offset + 2, as: UInt8.self)) }
            bytes.append(JSONLine.alphabet[Int(word >> 18)])
            bytes.append(JSONLine.alphabet[Int(word >> 12 & 63)])
            bytes.append(left > 1 ? JSONLine.alphabet[Int(word >> 6 & 63)] : UInt8(ascii: "="))
            bytes.append(left > 2 ? JSONLine.alphabet[Int(word & 63)] : UInt8(ascii: "="))
            offset += 3
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Bytes as text: what is not printable ASCII is a dot, but for the ends of lines.
    mutating func value(printable data: RawSpan) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        for offset in 0..<data.byteCount {
            switch unsafe data.unsafeLoad(fromByteOffset: offset, as: UInt8.self) {
            case UInt8(ascii: "\r"): raw("\\r")
            case UInt8(ascii: "\n"): raw("\\n")
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case let byte: bytes.append((0x20..<0x7F).contains(byte) ? byte : UInt8(ascii: "."))
            }
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    // MARK: - Pieces

    private mutating func open(_ bracket: StaticString) {
        comma()
        raw(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: StaticString) {
        raw(bracket)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func raw(_ text: StaticString) {
        unsafe bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func decimal(_ number: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(48 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// The last `count` decimal digits, zeros in front.
    private mutating func digits(_ number: UInt64, count: Int) {
        var divisor: UInt64 = 1
        for _ in 1..<count { divisor *= 10 }
        while divisor > 0 {
            bytes.append(48 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// Quotes and escapes (RFC 8259 §7). Beyond what JSON asks for, DEL and the C1 controls are escaped
    /// too: some terminals obey them, and a log is read in a terminal.
    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var afterC2 = false
        for byte in text.utf8 {
            if afterC2 {
                afterC2 = false
                if byte < 0xA0 {
                    // U+0080…U+009F: the lead byte is taken back.
                    bytes.removeLast()
                    escape(byte)
                } else {
                    bytes.append(byte)
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case UInt8(ascii: "\n"): raw("\\n")
            case UInt8(ascii: "\r"): raw("\\r")
            case UInt8(ascii: "\t"): raw("\\t")
            case 0..<0x20, 0x7F: escape(byte)
            case 0xC2:
                afterC2 = true
                bytes.append(byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ codePoint: UInt8) {
        raw("\\u00")
        bytes.append(JSONLine.hex[Int(codePoint >> 4)])
        bytes.append(JSONLine.hex[Int(codePoint & 15)])
    }

    /// The Gregorian date of a day counted from 1 January 1970. The year is taken to begin in March, so
    /// that the leap day is its last; 719,468 days lie between 1 March of the year 0 and the epoch.
    /// (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.)
    private static func civil(days: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * fromMarch + 2) / 5 + 1
        )
    }
}
