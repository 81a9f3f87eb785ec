import Evidence
import Wire

extension Checks {
    static let dns = [
        ConformanceCheck(
            .dnsTooShort, "dns.pkt_too_small", .medium, .alert, "less than a DNS header", "RFC 1035 §4.1.1"),
        ConformanceCheck(
            .dnsCounts, "dns.counts", .medium, .alert, "the DNS header counts more than the message holds",
            "RFC 1035 §4.1"),
        ConformanceCheck(
            .dnsQuestionCount, "dns.question_count", .medium, .alert, "a DNS query with more than one question",
            "RFC 9619 §4"),
        ConformanceCheck(
            .dnsPointerLoop, "dns.pointer_loop", .high, .drop,
            "a compressed name points forward, at itself, or from pointer to pointer", "RFC 1035 §4.1.4, RFC 9267 §2",
            reason: .evasion),
        ConformanceCheck(
            .dnsLabel, "dns.label", .medium, .alert, "a DNS label of a reserved kind, so longer than 63 bytes",
            "RFC 1035 §2.3.4, §4.1.4"),
        ConformanceCheck(
            .dnsNameTooLong, "dns.name_too_long", .medium, .alert, "a DNS name longer than 255 bytes",
            "RFC 1035 §2.3.4"),
        ConformanceCheck(
            .dnsOversize, "dns.oversize", .low, .alert,
            "a DNS message over UDP longer than 512 bytes without EDNS, or than 4,096 with it",
            "RFC 1035 §2.3.4, RFC 6891 §6.2.5"),
        ConformanceCheck(
            .dnsAnswerWithoutQuestion, "dns.answer_without_question", .medium, .alert,
            "a DNS response over UDP with answers, but without the question", "RFC 1035 §4.1.2, RFC 5452 §9.1"),
        ConformanceCheck(
            .dnsQueryWithAnswers, "dns.query_with_answers", .medium, .alert, "a DNS query that holds answers",
            "RFC 1035 §4.1.1"),
        ConformanceCheck(
            .dnsOpcode, "dns.opcode", .low, .alert, "a DNS operation that is not assigned", "IANA dns-parameters"),
        ConformanceCheck(
            .dnsTrailingData, "dns.trailing_data", .low, .alert, "bytes behind the last record of a DNS message",
            "RFC 1035 §4.1"),
    ]
}

/// A DNS message (RFC 1035 §4.1).
enum DNSMessage {
    static let headerSize = 12
    /// Labels and pointers that are looked at in one message. No message needs more; one that is made of them must
    /// not cost more.
    private static let stepLimit = 512
    /// Pointers in one name.
    private static let pointerLimit = 16

    /// Messages of a stream that are looked at: as many as a resolver asks at once.
    private static let messageLimit = 16

    /// Whether a stream begins with a message, behind two bytes of length (RFC 1035 §4.2.2), that is all there.
    static func isFramed(_ stream: RawSpan) -> Bool {
        guard stream.byteCount >= 2 else { return false }
        let length = Int(stream.be16(0))
        return length >= headerSize && 2 + length <= stream.byteCount
    }

    /// Looks at the messages that begin in the first bytes of a stream, at the last as far as it goes.
    static func examine(stream: RawSpan, _ failed: inout CheckSet) {
        var rest = stream
        for _ in 0..<messageLimit where rest.byteCount >= 2 {
            let end = 2 + Int(rest.be16(0))
            examine(rest.clamped(2, end), overTCP: true, isCut: end > rest.byteCount, &failed)
            rest = rest.clamped(end, rest.byteCount)
        }
    }

    /// `message` is all of it, or what there is of it where it `isCut`.
    @inline(never)
    static func examine(_ message: RawSpan, overTCP: Bool, isCut: Bool = false, _ failed: inout CheckSet) {
        let size = message.byteCount
        guard size >= headerSize else {
            if size > 0 || overTCP, !isCut { failed.insert(.dnsTooShort) }
            return
        }
        let flags = message.be16(2)
        let isResponse = flags & 0x8000 != 0
        let isTruncated = flags & 0x0200 != 0
        let operation = flags >> 11 & 15
        let questions = Int(message.be16(4))
        let answers = Int(message.be16(6))
        let records = answers + Int(message.be16(8)) + Int(message.be16(10))
        if operation == 3 || operation > 6 { failed.insert(.dnsOpcode) }
        if operation == 0 {
            if questions > 1 { failed.insert(.dnsQuestionCount) }
            if !isResponse, answers > 0 { failed.insert(.dnsQueryWithAnswers) }
            if isResponse, answers > 0, questions == 0, !overTCP { failed.insert(.dnsAnswerWithoutQuestion) }
        }
        // The root's name, type and class; those, time to live and length.
        guard isCut || questions * 5 + records * 11 <= size - headerSize else {
            if !isTruncated { failed.insert(.dnsCounts) }
            return
        }
        var reader = Reader(bytes: message, offset: headerSize)
        for _ in 0..<questions {
            guard reader.skipName(), reader.skip(4) else { break }
        }
        var hasEDNS = false
        for _ in 0..<records where reader.problem == nil {
            guard reader.skipName(), let type = reader.number(), reader.skip(6), let length = reader.number() else {
                break
            }
            if type == 41 { hasEDNS = true }
            // Name server, alias, pointer, alias of a tree: the data is one name.
            if [2, 5, 12, 39].contains(type) {
                var data = reader
                _ = data.skipName()
                reader.steps = data.steps
                if let problem = data.problem { reader.problem = problem }
            }
            guard reader.skip(Int(length)) else { break }
        }
        if !overTCP, size > (hasEDNS ? 4096 : 512), reader.problem == nil { failed.insert(.dnsOversize) }
        switch reader.problem {
        case .dnsCounts: if !isTruncated, !isCut { failed.insert(.dnsCounts) }
        case let problem?: failed.insert(problem)
        case nil: if reader.offset < size, !reader.isTired { failed.insert(.dnsTrailingData) }
        }
    }

    private struct Reader: ~Escapable {
        let bytes: RawSpan
        var offset: Int
        var steps = 0
        var problem: Check?

        @_lifetime(copy bytes)
        init(bytes: RawSpan, offset: Int) {
            self.bytes = bytes
            self.offset = offset
        }

        var isTired: Bool { steps >= DNSMessage.stepLimit }

        mutating func fail(_ check: Check) -> Bool {
            problem = check
            return false
        }

        mutating func skip(_ count: Int) -> Bool {
            guard bytes.byteCount - offset >= count else { return fail(.dnsCounts) }
            offset += count
            return true
        }

        mutating func number() -> UInt16? {
            guard skip(2) else { return nil }
            return bytes.be16(offset - 2)
        }

        /// Goes past a name. false if it is none, or the steps are used up.
        mutating func skipName() -> Bool {
            var place = offset
            var end: Int?
            // A pointer must point before the labels that it ends.
            var floor = offset
            var pointers = 0
            var length = 0
            while true {
                steps += 1
                guard !isTired else { return false }
                guard place < bytes.byteCount else { return fail(.dnsCounts) }
                let label = bytes.be8(place)
                switch label >> 6 {
                case 0:
                    length += Int(label) + 1
                    guard length <= 255 else { return fail(.dnsNameTooLong) }
                    place += Int(label) + 1
                    guard place <= bytes.byteCount else { return fail(.dnsCounts) }
                    if label == 0 {
                        offset = end ?? place
                        return true
                    }
                case 3:
                    guard place + 2 <= bytes.byteCount else { return fail(.dnsCounts) }
                    let target = Int(bytes.be16(place) & 0x3FFF)
                    pointers += 1
                    guard target < floor, target >= DNSMessage.headerSize, pointers <= DNSMessage.pointerLimit else {
                        return fail(.dnsPointerLoop)
                    }
                    if end == nil { end = place + 2 }
                    place = target
                    floor = target
                default: return fail(.dnsLabel)
                }
            }
        }
    }
}
