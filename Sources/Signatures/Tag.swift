/// `tag`: what follows a match is written too, of its flow or of one of its hosts, up to so many packets, bytes or
/// seconds (Suricata's detect-tag.c).
struct Tag: Sendable, Hashable {
    enum Owner: UInt8, BitwiseCopyable, Sendable { case session, source, destination }

    /// More packets are not written, whatever a rule asks for.
    static let mostPackets: UInt32 = 256

    var owner = Owner.session
    /// 0 for no bound.
    var packets: UInt32 = 0
    var bytes: UInt32 = 0
    var seconds: UInt32 = 0

    /// Suricata and Snort 2: `session|host[,number,packets|bytes|seconds[,src|dst]]`. Snort 3:
    /// `session|host_src|host_dst[,packets number][,bytes number][,seconds number]`.
    init(_ text: RuleText) throws(Rejection) {
        let parts = text.listed
        switch parts[0].string.lowercased() {
        case "session": owner = .session
        case "host", "host_dst": owner = .destination
        case "host_src": owner = .source
        default: throw Rejection("tag is of a session or a host")
        }
        var number: UInt32? = nil
        for part in parts.dropFirst() {
            let words = part.words
            if words.count == 2 {
                guard let bound = words[1].number.flatMap({ UInt32(exactly: $0) }) else { throw Tag.misread }
                try set(words[0].string.lowercased(), bound)
            } else if let bound = part.number.flatMap({ UInt32(exactly: $0) }), number == nil {
                number = bound
            } else {
                switch (part.string.lowercased(), number) {
                case ("src", nil) where owner == .destination: owner = .source
                case ("dst", nil), ("src", nil), ("exclusive", nil): break
                case (let metric, let bound?):
                    try set(metric, bound)
                    number = nil
                default: throw Tag.misread
                }
            }
        }
        guard number == nil else { throw Tag.misread }
        if packets == 0, bytes == 0, seconds == 0 { packets = Tag.mostPackets }
    }

    private static let misread = Rejection("tag takes a number of packets, bytes or seconds, and src or dst")

    private mutating func set(_ metric: String, _ bound: UInt32) throws(Rejection) {
        guard bound > 0 else { throw Rejection("tag's number is not one of 1…4294967295") }
        switch metric {
        case "packets": packets = min(bound, Tag.mostPackets)
        case "bytes": bytes = bound
        case "seconds": seconds = bound
        default: throw Tag.misread
        }
    }
}

/// A `Tag` in a rule set.
struct CompiledTag: BitwiseCopyable, Sendable {
    var tag: Tag
    /// The rule's gid and sid.
    var rule: UInt64
}

extension Tag: BitwiseCopyable {}
