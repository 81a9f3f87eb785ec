// Protocols over UDP, and DNS, which both have.

extension ApplicationRecogniser {
    /// A DNS message (RFC 1035 §4.1) whose counts make sense and whose first name is one.
    static func isDNS(_ bytes: ApplicationBytes, from start: Int) -> Bool {
        let flags = unsafe bytes.word(start + 2)
        let questions = unsafe bytes.word(start + 4)
        let answers = unsafe bytes.word(start + 6)
        let authorities = unsafe bytes.word(start + 8)
        let others = unsafe bytes.word(start + 10)
        guard flags >= 0, others >= 0, questions <= 32, answers <= 256, authorities <= 128, others <= 128 else {
            return false
        }
        // Query, notify and update are what is in use; one bit must be zero (RFC 2535 §6.1).
        guard [0, 4, 5].contains(flags >> 11 & 15), flags & 0x40 == 0 else { return false }
        let isAnswer = flags & 0x8000 != 0
        guard questions > 0 || (isAnswer && answers > 0) else { return false }
        if !isAnswer, questions > 1, answers == 0, authorities == 0, others > 2 { return false }
        guard let end = unsafe nameEnd(bytes, from: start + 12, base: start) else { return false }
        let type = unsafe bytes.word(end)
        let space = unsafe bytes.word(end + 2)
        guard type > 0, space >= 0 else { return false }
        return [1, 3, 4, 254, 255].contains(space & 0x7FFF)
    }

    /// The same behind its length (RFC 1035 §4.2.2). What follows it is another (RFC 7766 §6.2.1.1).
    static func isDNSStream(_ bytes: ApplicationBytes) -> Bool {
        let next = unsafe bytes.word(0) + 2
        guard next >= 2 + 17, unsafe isDNS(bytes, from: 2) else { return false }
        return unsafe next + 2 > bytes.count || bytes.word(next) >= 17
    }

    /// Behind a name; nil if it is none, or one of NetBIOS (RFC 1001 §14.1).
    private static func nameEnd(_ bytes: ApplicationBytes, from start: Int, base: Int) -> Int? {
        var place = start
        if unsafe bytes[start] == 32 {
            var isEncoded = true
            for i in 1...32 where unsafe bytes[start + i] < 0x41 || bytes[start + i] > 0x50 { isEncoded = false }
            if isEncoded { return nil }
        }
        while place < start + 256 {
            let length = unsafe bytes[place]
            switch length {
            case 0: return place + 1
            case 1...63: place += length + 1
            case 0xC0...0xFF: return place > start ? place + 2 : nil
            default: return nil
            }
        }
        return nil
    }

    /// A long header (RFC 9000 §17.2) of a version that is known, or a public header of gQUIC with one.
    static func isQUIC(_ bytes: ApplicationBytes) -> Bool {
        let first = unsafe bytes[0]
        if first >= 0x80 {
            guard unsafe bytes[5] >= 0, unsafe bytes[5] <= 20 || isGoogle(bytes, at: 1) else { return false }
            let version = unsafe bytes.long(1)
            switch version {
            case 1, 0x6B33_43CF: return first & 0x40 != 0
            case 0xFF00_0000...0xFF00_00FF, 0xFACE_B000...0xFACE_B00F, 0xABCD_0000...0xABCD_000F: return true
            default: return unsafe isGoogle(bytes, at: 1) && bytes.count > 20
            }
        }
        // Version and eight bytes of connection identifier.
        return unsafe first & 0xC9 == 9 && isGoogle(bytes, at: 9)
    }

    /// Q0 or T0 and two digits.
    private static func isGoogle(_ bytes: ApplicationBytes, at place: Int) -> Bool {
        guard unsafe bytes.has("Q0", at: place) || bytes.has("T0", at: place) else { return false }
        return unsafe bytes[place + 2] >= 0x30 && bytes[place + 2] <= 0x39 && bytes[place + 3] >= 0x30
            && bytes[place + 3] <= 0x39
    }

    /// RFC 2131 §2, §3.
    static func isDHCP(_ bytes: ApplicationBytes) -> Bool {
        unsafe (bytes[0] == 1 || bytes[0] == 2) && bytes[2] >= 0 && bytes[2] <= 16
            && bytes.long(236) == 0x6382_5363
    }

    /// A message (RFC 1157 §4, RFC 3416, RFC 3412 §6) as long as the datagram.
    static func isSNMP(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes[0] == 0x30, let outer = unsafe bytes.length(at: 1),
            unsafe outer.start + outer.length == bytes.count, unsafe bytes.word(outer.start) == 0x0201
        else { return false }
        let version = unsafe bytes[outer.start + 2]
        let next = outer.start + 3
        if version == 3 { return unsafe bytes[next] == 0x30 }
        guard version == 0 || version == 1, unsafe bytes[next] == 4,
            let community = unsafe bytes.length(at: next + 1)
        else { return false }
        let unit = unsafe bytes[community.start + community.length]
        return unit >= 0xA0 && unit <= 0xA8
    }

    /// A header (RFC 7296 §3.1, RFC 2408 §3.1) that begins an exchange, perhaps behind a non-ESP marker
    /// (RFC 3948 §2.2).
    static func isIKE(_ bytes: ApplicationBytes) -> Bool {
        let start = unsafe bytes.long(0) == 0 ? 4 : 0
        guard unsafe bytes.count >= start + 28, unsafe bytes.long(start) != 0 || bytes.long(start + 4) != 0,
            unsafe bytes.long(start + 24) == bytes.count - start
        else { return false }
        let exchange = unsafe bytes[start + 18]
        switch unsafe bytes[start + 17] {
        case 0x10: return [1, 2, 3, 4, 5, 6, 32, 33].contains(exchange)
        case 0x20: return (34...37).contains(exchange)
        default: return false
        }
    }

    /// A request to read or write (RFC 1350 §5): a name and a mode.
    static func isTFTP(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes.word(0) == 1 || bytes.word(0) == 2, unsafe bytes[2] >= 0x20 else { return false }
        var place = 2
        while unsafe bytes[place] >= 0x20, place < 256 { place += 1 }
        guard unsafe bytes[place] == 0 else { return false }
        return unsafe bytes.has("octet\u{0}", at: place + 1, ignoringCase: true)
            || bytes.has("netascii\u{0}", at: place + 1, ignoringCase: true)
            || bytes.has("mail\u{0}", at: place + 1, ignoringCase: true)
    }

    /// BEP 5: a dictionary with a node's identifier, or with an error.
    static func isBitTorrentDHT(_ bytes: ApplicationBytes) -> Bool {
        unsafe bytes.has("d1:ad2:id20:") || bytes.has("d1:rd2:id20:") || bytes.has("d1:eli20")
            || bytes.has("d2:ip") && bytes.find("1:rd2:id20:", from: 5, to: 32) != nil
    }

    /// A connectionless PDU (C706 §12.5) that is whole.
    static func isUnboundDCERPC(_ bytes: ApplicationBytes) -> Bool {
        guard unsafe bytes.count >= 80, unsafe bytes[0] == 4, unsafe bytes[1] <= 10,
            unsafe bytes[4] == 0x10 || bytes[4] == 0, unsafe bytes.word(5) & 0xFCFF == 0
        else { return false }
        let length = unsafe bytes[4] == 0x10 ? bytes.littleWord(74) : bytes.word(74)
        return unsafe length + 80 == bytes.count
    }

    /// A packet (RFC 5905 §7.3) of a client, a server or a peer, with or without what authenticates it.
    static func isNTP(_ bytes: ApplicationBytes) -> Bool {
        let first = unsafe bytes[0]
        guard unsafe bytes.count >= 48, unsafe bytes.count % 4 == 0, unsafe bytes.count <= 128,
            (1...4).contains(first >> 3 & 7), (1...5).contains(first & 7)
        else { return false }
        // Stratum, poll and precision; the delay to the root is less than 16 s.
        let precision = unsafe bytes[3]
        return unsafe bytes[1] <= 16 && bytes[2] <= 17 && (precision == 0 || precision == 0x20 || precision >= 0xC0)
            && bytes.long(4) < 16 << 16
    }
}
