import Wire

/// One segment on the wire, as a test wants it: a TCP segment over IPv4 or IPv6, right unless it says otherwise.
struct TestSegment {
    /// Of its first byte, counted from the first byte of the sender's data.
    var place: Int
    var text: [UInt8] = []
    var flags: TCPFlags = [.psh, .ack]
    /// Added to the right acknowledgement, and to the clock.
    var acknowledges = 0
    var ticks = 0
    var hopLimit: UInt8 = 64
    var isDamaged = false
    var urgent = 0
    var fromGuest = false
    /// It passes the sensor and is lost behind it.
    var isLost = false

    func bytes(_ family: Family, _ talk: Talk) -> [UInt8] {
        let (from, to): (Party, Party) = fromGuest ? (.web, .client) : (.client, .web)
        let ports = fromGuest ? big16(80) + big16(40_000) : big16(40_000) + big16(80)
        let isSYN = flags.contains(.syn)
        let base = (fromGuest ? talk.guestStart : talk.clientStart) &+ (isSYN ? 0 : 1)
        let sequence = base &+ UInt32(truncatingIfNeeded: place)
        let other = flags.contains(.ack) ? talk.acknowledgement(toGuest: !fromGuest) : 0
        let number = other &+ UInt32(truncatingIfNeeded: acknowledges)
        let stamp = UInt32(truncatingIfNeeded: talk.clock + ticks)
        var options: [UInt8] = [1, 1, 8, 10] + big32(Int(stamp)) + big32(0)
        if isSYN { options += [1, 3, 3, 0] }
        var tcp = ports + big32(Int(sequence)) + big32(Int(number))
        tcp += [UInt8((20 + options.count) / 4) << 4, flags.rawValue] + big16(Talk.window) + [0, 0] + big16(urgent)
        tcp += options + text
        var sum = InternetChecksum(
            source: family.address(of: from), destination: family.address(of: to), protocol: 6, length: tcp.count)
        unsafe sum.add(tcp.span.bytes)
        tcp.replaceSubrange(16..<18, with: big16(Int(isDamaged ? sum.value ^ 0x5555 : sum.value)))
        var packet = family.ip(from, to, 6, tcp)
        packet[family == .v4 ? 8 : 7] = hopLimit
        return packet
    }
}

/// What both sides of a test's connection know.
struct Talk {
    static let window = 4_096

    var clientStart: UInt32
    var guestStart: UInt32 = 77_000
    /// What the guest has of the client's data, in bytes.
    var received = 0
    /// Milliseconds, for the timestamps.
    var clock = 1_000_000

    func acknowledgement(toGuest: Bool) -> UInt32 {
        toGuest ? guestStart &+ 1 : clientStart &+ 1 &+ UInt32(received)
    }
}

/// A receiver as Linux is one, as far as the tests need it: what its application reads, of what comes in.
struct TCPGuest {
    /// How the application reads what is not urgent: as soon as it can, or when all is there; or all as it came
    /// (SO_OOBINLINE).
    enum Reader: Sendable { case prompt, late, inline }

    let reader: Reader
    private(set) var delivered: [UInt8] = []
    private(set) var isReset = false
    /// What the application has read of what was delivered, and how far that is.
    private var text: [UInt8] = []
    private var copied = 0
    /// The place of the byte that is urgent, if that was not passed yet.
    private var urgent: Int?
    /// By place; what came first stays.
    private var waiting: [Int: UInt8] = [:]
    private var lastStamp = 0

    init(reader: Reader = .prompt) { self.reader = reader }

    /// All that the application reads, if nothing more comes.
    var read: [UInt8] {
        var guest = self
        guest.readOn()
        return guest.text
    }

    /// As tcp_recvmsg passes over the urgent byte.
    private mutating func readOn() {
        while copied < delivered.count {
            if copied != urgent || reader == .inline { text.append(delivered[copied]) }
            copied += 1
        }
        if let place = urgent, place < copied { urgent = nil }
    }

    /// As tcp_check_urg does: of two the later counts, unless the earlier is the next to be read.
    private mutating func heed(_ place: Int) {
        guard place >= delivered.count, place > urgent ?? -1 else { return }
        if urgent == copied, reader != .inline, copied < delivered.count { copied += 1 }
        urgent = place
    }

    /// Takes a segment in; false if it is not even looked at.
    mutating func receive(_ segment: TestSegment, _ talk: Talk) -> Bool {
        guard !segment.isDamaged, segment.hopLimit > 0, !isReset else { return false }
        let stamp = talk.clock + segment.ticks
        if lastStamp - stamp > 1 { return false }
        if segment.flags.contains(.rst) {
            if segment.place == delivered.count { isReset = true }
            return false
        }
        // A SYN on an open connection is answered with a challenge.
        guard !segment.flags.contains(.syn), segment.flags.contains(.ack), segment.acknowledges <= 0,
            segment.place + segment.text.count <= delivered.count + Talk.window
        else { return false }
        if segment.isLost { return false }
        if segment.place <= delivered.count { lastStamp = max(lastStamp, stamp) }
        if segment.flags.contains(.urg) { heed(segment.place + max(1, segment.urgent) - 1) }
        for (index, byte) in segment.text.enumerated() {
            let place = segment.place + index
            if place >= delivered.count, waiting[place] == nil { waiting[place] = byte }
        }
        while let byte = waiting.removeValue(forKey: delivered.count) { delivered.append(byte) }
        if reader == .prompt { readOn() }
        return true
    }
}
