// Protocols whose first line is text.

extension ApplicationRecogniser {
    /// nil if the bytes begin with none of these.
    static func text(_ bytes: ApplicationBytes, mayGoOn: Bool) -> Answer? {
        guard let first = unsafe UInt8(exactly: bytes[0]), first >= 0x20, first < 0x7F else { return nil }
        if unsafe bytes.has("SSH-1.") || bytes.has("SSH-2.") { return .found(.ssh) }
        if unsafe bytes.has("RFB 00") { return .found(.rfb) }
        if unsafe bytes.has("PRI * HTTP/2.0\r\n") { return .found(.http2) }
        if unsafe bytes.has("HTTP/1.") || bytes.has("HTTP/0.") { return .found(.http) }
        if unsafe isSIP(bytes) { return .found(.sip) }
        if unsafe bytes.has("+OK") && (bytes[3] == 0x20 || bytes[3] == 0x0D) { return .found(.pop3) }
        if unsafe bytes.has("* OK ") || bytes.has("* PREAUTH ") || bytes.has("* OK[") { return .found(.imap) }
        guard let end = unsafe bytes.lineEnd(limit: reach) else {
            // A request may be long; that it is one is plain by then.
            if !mayGoOn { return unsafe isRequest(bytes, end: bytes.count) ? .found(.http) : nil }
            return unsafe isPrintable(bytes) ? .more : nil
        }
        if unsafe isRequest(bytes, end: end) { return .found(.http) }
        if let mail = unsafe mailOrFiles(bytes, end: end) { return .found(mail) }
        if unsafe isIRC(bytes, end: end) { return .found(.irc) }
        return nil
    }

    private static func isPrintable(_ bytes: ApplicationBytes) -> Bool {
        for place in 0..<(unsafe min(bytes.count, 32)) {
            let byte = unsafe bytes[place]
            if byte < 0x20 && byte != 0x09 && byte != 0x0D || byte >= 0x7F { return false }
        }
        return true
    }

    /// RFC 9112 §3: a method, a target, and a version, which HTTP/0.9 has not.
    private static func isRequest(_ bytes: ApplicationBytes, end: Int) -> Bool {
        var blank = 0
        while unsafe isMethodLetter(bytes[blank]), blank <= 24 { blank += 1 }
        guard blank >= 3, unsafe bytes[blank] == 0x20 else { return false }
        if let version = unsafe bytes.find(" HTTP/", from: blank, to: end) {
            return unsafe bytes[version + 6] >= 0x30 && bytes[version + 6] <= 0x31
        }
        guard unsafe bytes.has("GET ") || bytes.has("POST ") || bytes.has("HEAD ") || bytes.has("PUT ") else {
            return false
        }
        // A version of something else follows the last blank.
        if let other = unsafe bytes.find("TSP/", from: blank, to: end), other > blank { return false }
        return unsafe bytes[blank + 1] == 0x2F || bytes.has("http", at: blank + 1, ignoringCase: true)
    }

    private static func isMethodLetter(_ byte: Int) -> Bool {
        byte >= 0x41 && byte <= 0x5A || byte == 0x2D || byte == 0x5F
    }

    /// RFC 3261 §7: a request to a SIP address, or a response.
    static func isSIP(_ bytes: ApplicationBytes) -> Bool {
        if unsafe bytes.has("SIP/2.0 ") { return true }
        var blank = 0
        while unsafe bytes[blank] >= 0x41 && bytes[blank] <= 0x5A, blank <= 12 { blank += 1 }
        guard blank >= 3, unsafe bytes[blank] == 0x20 else { return false }
        return unsafe bytes.has("sip:", at: blank + 1, ignoringCase: true)
            || bytes.has("sips:", at: blank + 1, ignoringCase: true)
    }

    /// SMTP (RFC 5321), FTP (RFC 959), POP3 (RFC 1939) and IMAP (RFC 9051). Greetings of SMTP and FTP look the
    /// same but for what people write in them.
    private static func mailOrFiles(_ bytes: ApplicationBytes, end: Int) -> Application? {
        if unsafe bytes.has("220") && (bytes[3] == 0x20 || bytes[3] == 0x2D) {
            if unsafe bytes.find("smtp", from: 4, to: end, ignoringCase: true) != nil { return .smtp }
            return unsafe bytes.find("ftp", from: 4, to: bytes.count, ignoringCase: true) != nil ? .ftp : nil
        }
        if unsafe bytes.has("ehlo", ignoringCase: true) || bytes.has("helo", ignoringCase: true),
            unsafe bytes[4] == 0x20 || bytes[4] == 0x0D
        {
            return .smtp
        }
        // One argument; IRC's USER has four.
        if unsafe bytes.has("user ", ignoringCase: true), unsafe bytes.find(" ", from: 5, to: end) == nil {
            return .ftp
        }
        if unsafe bytes.has("AUTH TLS\r") || bytes.has("AUTH SSL\r") || bytes.has("FEAT\r") { return .ftp }
        if unsafe bytes.has("CAPA\r") || bytes.has("APOP ") { return .pop3 }
        return unsafe isIMAPCommand(bytes) ? .imap : nil
    }

    /// A tag and a command that may come first.
    private static func isIMAPCommand(_ bytes: ApplicationBytes) -> Bool {
        var blank = 0
        while unsafe isLetterOrDigit(bytes[blank]), blank <= 12 { blank += 1 }
        guard (1...12).contains(blank), unsafe bytes[blank] == 0x20 else { return false }
        let place = blank + 1
        return unsafe bytes.has("capability", at: place, ignoringCase: true)
            || bytes.has("login ", at: place, ignoringCase: true)
            || bytes.has("starttls", at: place, ignoringCase: true)
            || bytes.has("authenticate ", at: place, ignoringCase: true)
    }

    private static func isLetterOrDigit(_ byte: Int) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5A || byte >= 0x61 && byte <= 0x7A
    }

    /// RFC 2812 §3.1 and what servers say first.
    private static func isIRC(_ bytes: ApplicationBytes, end: Int) -> Bool {
        if unsafe bytes.has("NICK ") || bytes.has("NOTICE AUTH ") || bytes.has("CAP LS") { return true }
        if unsafe bytes.has("USER "), unsafe bytes.find(" :", from: 5, to: end) != nil { return true }
        if unsafe bytes.has("PASS "), unsafe bytes.has("NICK ", at: end + 1) { return true }
        return unsafe bytes[0] == 0x3A && bytes.find(" NOTICE ", from: 1, to: end) != nil
    }
}
