// Protocols over TCP whose first bytes are numbers.

extension ApplicationRecogniser {
    /// A TLS record (RFC 8446 §5.1) with a hello, or with an alert alone; SSL 2's client hello.
    static func isTLS(_ bytes: ApplicationBytes) -> Bool {
        if unsafe bytes[1] == 3 && bytes[2] >= 0 && bytes[2] <= 4 {
            let length = unsafe bytes.word(3)
            if unsafe bytes[0] == 0x15 { return unsafe length == 2 && (bytes[5] == 1 || bytes[5] == 2) }
            guard unsafe bytes[0] == 0x16, length >= 4, length <= 16_384 + 256 else { return false }
            // Client or server hello, their own version.
            return unsafe (bytes[5] == 1 || bytes[5] == 2) && bytes[6] == 0 && bytes[9] == 3 && bytes[10] <= 4
        }
        return unsafe bytes[0] & 0x80 != 0 && bytes[0] >= 0 && bytes[2] == 1
            && (bytes.word(3) == 2 || bytes[3] == 3 && bytes[4] >= 0 && bytes[4] <= 3) && bytes.word(5) > 0
            && bytes.word(5) % 3 == 0 && (bytes.word(0) & 0x7FFF) >= 9 + bytes.word(5)
    }

    /// A server's first frame: SETTINGS on stream 0 (RFC 9113 §3.4).
    static func isHTTP2(_ bytes: ApplicationBytes) -> Bool {
        let length = unsafe bytes.word(1)
        return unsafe bytes[0] == 0 && length >= 0 && length % 6 == 0 && length <= 96 && bytes[3] == 4
            && bytes[4] == 0 && bytes.long(5) == 0
    }

    /// SMB in a NetBIOS session message (RFC 1002 §4.3), or the request for a session.
    static func isSMB(_ bytes: ApplicationBytes) -> Bool {
        if unsafe bytes[0] == 0 {
            return unsafe bytes[4] >= 0xFC && bytes.has("SMB", at: 5)
        }
        return unsafe bytes[0] == 0x81 && bytes.word(2) == 68 && bytes[4] == 0x20 && bytes[37] == 0
    }

    /// A connection-oriented PDU of C706 §12.6.3.1 that may come first: bind, alter context, their answers,
    /// request, response.
    static func isBoundDCERPC(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes[0] == 5, unsafe bytes[1] == 0 || bytes[1] == 1,
            unsafe [0, 2, 3, 11, 12, 13, 14, 15].contains(bytes[2]),
            unsafe bytes[4] == 0x10 || bytes[4] == 0, unsafe bytes[5] <= 3, unsafe bytes.word(6) == 0
        else { return false }
        let length = unsafe bytes[4] == 0x10 ? bytes.littleWord(8) : bytes.word(8)
        return length >= 16 && length <= 8_192
    }

    /// A TPKT (RFC 2126) with a connection request or confirmation (X.224) as MS-RDPBCGR §2.2.1 has it.
    static func isRDP(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes[0] == 3, unsafe bytes[1] == 0, unsafe bytes.word(2) >= 11,
            unsafe bytes[4] + 5 == bytes.word(2)
        else { return false }
        switch unsafe bytes[5] {
        case 0xE0:
            return unsafe bytes.has("Cookie: mstshash=", at: 11)
                || bytes[11] == 1 && bytes.littleWord(13) == 8
        case 0xD0: return unsafe (bytes[11] == 2 || bytes[11] == 3) && bytes.littleWord(13) == 8
        default: return false
        }
    }

    /// CONNECT (MQTT 5 §3.1), whose length takes up to four bytes.
    static func isMQTT(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes[0] == 0x10 else { return false }
        var place = 1
        while unsafe place < 4 && bytes[place] >= 0x80 { place += 1 }
        return unsafe bytes.has("\u{0}\u{4}MQTT", at: place + 1) || bytes.has("\u{0}\u{6}MQIsdp", at: place + 1)
    }

    /// AS and TGS exchanges, and errors (RFC 4120 §5.4): an application tag, a sequence, and version 5.
    static func isKerberos(_ bytes: ApplicationBytes, from start: Int) -> Bool {
        guard unsafe [0x6A, 0x6B, 0x6C, 0x6D, 0x7E].contains(bytes[start]),
            let outer = unsafe bytes.length(at: start + 1), unsafe bytes[outer.start] == 0x30,
            let inner = unsafe bytes.length(at: outer.start + 1)
        else { return false }
        let place = inner.start
        return unsafe (bytes[place] == 0xA0 || bytes[place] == 0xA1) && bytes[place + 1] == 3
            && bytes[place + 2] == 2 && bytes[place + 3] == 1 && bytes[place + 4] == 5
    }

    /// A message (RFC 4511 §4.1.1) with an operation that may come first: bind, search, extended, and answers.
    static func isLDAP(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes[0] == 0x30, let outer = unsafe bytes.length(at: 1), outer.length >= 7,
            unsafe bytes[outer.start] == 2
        else { return false }
        let size = unsafe bytes[outer.start + 1]
        guard (1...4).contains(size), let inner = unsafe bytes.length(at: outer.start + 3 + size),
            inner.length <= outer.length
        else { return false }
        let operation = unsafe bytes[outer.start + 2 + size]
        switch operation {
        // A bind request has a version of 2 or 3.
        case 0x60:
            return unsafe bytes.word(inner.start) == 0x0201
                && (bytes[inner.start + 2] == 2 || bytes[inner.start + 2] == 3)
        // Results begin with a code, an enumeration of one byte; a search with a name.
        case 0x61, 0x65, 0x78: return unsafe bytes.word(inner.start) == 0x0A01
        case 0x63: return unsafe bytes[inner.start] == 4
        case 0x77: return unsafe bytes[inner.start] == 0x80
        default: return false
        }
    }

    /// Options are agreed on first (RFC 854): IAC, one of WILL, WONT, DO, DONT, and an option.
    static func isTelnet(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes[0] == 0xFF, unsafe bytes[1] >= 0xFB, unsafe bytes[1] <= 0xFE, unsafe bytes[2] >= 0,
            unsafe bytes[2] <= 49
        else { return false }
        return unsafe bytes.count == 3 || bytes[3] == 0xFF
    }

    /// A start-up message with a user, a request for TLS, or a request to authenticate (PostgreSQL's "Message
    /// Formats").
    static func isPostgreSQL(_ bytes: ApplicationBytes) -> Bool {
        let length = unsafe bytes.long(0)
        if length == 8 { return unsafe bytes.long(4) == 80_877_103 && bytes.count == 8 }
        if unsafe bytes.long(4) == 196_608 { return unsafe length == bytes.count && bytes.has("user\u{0}", at: 8) }
        return unsafe bytes[0] == 0x52 && bytes.long(1) >= 8 && bytes.long(1) <= 256 && bytes.long(5) >= 0
            && bytes.long(5) <= 12
    }

    /// A link frame (IEEE 1815 §9.2): 05 64, a length, and a checksum over the header.
    static func isDNP3(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes.word(0) == 0x0564, unsafe bytes[2] >= 5, unsafe bytes.count >= 10 else { return false }
        var sum: UInt16 = 0
        for place in 0..<8 {
            sum ^= unsafe UInt16(truncatingIfNeeded: bytes[place])
            for _ in 0..<8 { sum = sum & 1 != 0 ? sum >> 1 ^ 0xA6BC : sum >> 1 }
        }
        return unsafe bytes.littleWord(8) == Int(~sum)
    }

    /// A call (RFC 5531 §9) of program 100003, perhaps behind a record mark.
    static func isNFSCall(_ bytes: ApplicationBytes, from start: Int) -> Bool {
        unsafe bytes.long(start + 4) == 0 && bytes.long(start + 8) == 2 && bytes.long(start + 12) == 100_003
            && bytes.long(start + 16) >= 2 && bytes.long(start + 16) <= 4
    }

    /// An encapsulation header (EtherNet/IP, CIP volume 2 §2-3) that is whole: a command, a length, no status
    /// and no options.
    static func isENIP(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes.count >= 24, unsafe [4, 0x63, 0x64, 0x65, 0x66, 0x6F, 0x70].contains(bytes.littleWord(0)),
            unsafe bytes.littleWord(2) + 24 == bytes.count
        else { return false }
        return unsafe bytes.long(8) == 0 && bytes.long(20) == 0
    }

    /// A frame (Modbus Messaging on TCP/IP §3.1.3) that is whole, its function's length right.
    static func isModbus(_ bytes: ApplicationBytes) -> Bool {
        let length = unsafe bytes.word(4)
        guard unsafe bytes.word(2) == 0, length >= 2, unsafe length + 6 == bytes.count else { return false }
        switch unsafe bytes[7] {
        case 1...4: return unsafe length == 6 || length == 3 + bytes[8]
        case 5, 6: return length == 6
        case 15, 16: return unsafe length == 6 || length == 7 + bytes[12]
        case 0x2B: return unsafe bytes[8] == 14 && length >= 5
        case 0x5A: return length >= 4
        case 0x81...0xAB: return unsafe length == 3 && bytes[8] >= 1 && bytes[8] <= 11
        default: return false
        }
    }
}
