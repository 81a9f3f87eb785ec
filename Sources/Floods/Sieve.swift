import Evidence
import Sketches
import Synchronization
import Wire

/// Tells sources apart where a class at a host is attacked. One worker's.
///
/// A packet from a source that has not proved itself touches fixed arrays only, and the same ones whether
/// there are ten such sources or sixteen million. Who passes, in this order:
/// 1. who belongs to a flow that both sides have spoken in (but a SYN, which begins one),
/// 2. trusted sources, each up to a ceiling and all up to the class's limit,
/// 3. of SYNs, who answered a challenge; and in the host's budget, who sends the same SYN again
///    after 0.8 s or more, which spoofed floods do not do because no SYN of theirs is known to be lost,
/// 4. anybody, in the budget for the unknown; of SYNs not where the host's other TCP is attacked as well.
/// A SYN that does not pass is challenged, and a DNS query sent to TCP where that is wanted, as long as the sensor's
/// cap allows it.
///
/// All of it is keyed on the 4-tuple and sequence number, not on the source: with a million sources at a
/// million packets a second a source comes back within a second.
@safe
public struct Sieve: ~Copyable, @unchecked Sendable {
    private let sources: UnsafeMutablePointer<KnownSources>
    private var firstSeen: FirstSeen
    private var answers: ChallengeAnswers
    let trustedAddresses: RecentAddresses
    /// Of sources that sent their SYN again and proved nothing: apart, so that they push out nobody who did.
    let repeatedAddresses: RecentAddresses
    /// The challenges that the last packets asked for.
    public var challenges = ChallengeBuffer()

    /// The least age at which a SYN that comes again is a retransmission: the first timeout is 1 s
    /// (RFC 6298 §2.1), and clocks tick.
    static let retransmission: UInt64 = 800_000_000
    /// A single source is noted each time that its count in a second passes a multiple of this.
    static let heavyStep: UInt32 = 256

    init(sources: UnsafeMutablePointer<KnownSources>, requestLines: Int, answerLines: Int, trusted: Int, repeated: Int)
    {
        trustedAddresses = RecentAddresses(capacity: trusted)
        repeatedAddresses = RecentAddresses(capacity: repeated)
        unsafe self.sources = unsafe sources
        firstSeen = FirstSeen(lines: requestLines)
        answers = ChallengeAnswers(lines: answerLines)
    }

    var memoryBytes: Int {
        firstSeen.memoryBytes + answers.memoryBytes + trustedAddresses.memoryBytes + repeatedAddresses.memoryBytes
            + ChallengeBuffer.capacity * MemoryLayout<Challenge>.stride
    }

    // MARK: - Learning

    /// Takes note of a source that has shown that it receives what the guest sends.
    public mutating func vouch(for source: Address, time: UInt64) {
        let hash = unsafe sources.pointee.hash.hash(source)
        unsafe sources.pointee.vouch(hash, time: time)
        trustedAddresses.note(source, hash, time: time)
    }

    public func isTrusted(_ source: Address) -> Bool {
        unsafe sources.pointee.isTrusted(sources.pointee.hash.hash(source))
    }

    /// Counts the source of a packet to a class at a host that is watched, with sketch `sketch` (from 1).
    @inline(never)
    public mutating func observe(
        _ source: Address, _ slot: HostSlot, _ floodClass: FloodClass, sketch: UInt32, time: UInt64
    ) {
        let hash = unsafe sources.pointee.hash
        let known = hash.hash(source)
        unsafe sources.pointee.sketches.add(known, to: Int(sketch) &- 1)
        let count = unsafe sources.pointee.rates.count(Sieve.place(hash, known, slot, floodClass), time: time)
        guard count % Sieve.heavyStep == 0 else { return }
        unsafe sources.pointee.heavy.note(
            HeavySource(
                address: source, slot: Int(slot), classNumber: Int(floodClass.rawValue), count: count, time: time))
    }

    /// Takes note of what a connection request that a gate let through looks like, if a client sent it.
    @inline(never)
    public mutating func observe(request packet: Packet, _ bytes: RawSpan) {
        guard isTrusted(packet.source), let request = Request(packet, bytes) else { return }
        unsafe sources.pointee.shapes.count(request.shape, isProved: true)
    }

    /// Whether a connection request passes whose own class is not attacked, to a host whose other TCP is. The end of its
    /// handshake is of that class, and the kernel lets it by from sources only that have proved themselves: so they do
    /// that first, where they can be asked to.
    @inline(never)
    public mutating func introduces(
        _ packet: Packet, _ bytes: RawSpan, _ slot: HostSlot, guestMAC: UInt64, _ arrival: Arrival,
        _ counters: FloodCounters
    ) -> Bool {
        guard let request = Request(packet, bytes) else { return true }
        let known = unsafe sources.pointee.hash.hash(packet.source)
        if unsafe sources.pointee.isTrusted(known) {
            trustedAddresses.note(packet.source, known, time: arrival.time)
            unsafe sources.pointee.shapes.count(request.shape, isProved: true)
            return true
        }
        return unsafe passes(
            request, known, packet, slot, counters.entrance(slot, .syn), isAttacked: false, guestMAC: guestMAC, arrival,
            counters)
    }

    // MARK: - Sifting

    /// Whether a packet passes that a gate had `sifted`. `isOfFlow` says that it belongs to a flow that both
    /// sides have spoken in; `guestMAC` is the Ethernet address of the host, 0 if it is not known, and then
    /// nobody is challenged.
    public mutating func passes(
        _ packet: Packet, _ bytes: RawSpan, _ slot: HostSlot, _ floodClass: FloodClass, isOfFlow: Bool,
        guestMAC: UInt64, _ arrival: Arrival, _ counters: FloodCounters
    ) -> Bool {
        let hash = unsafe sources.pointee.hash
        let known = hash.hash(packet.source)
        let place = Sieve.place(hash, known, slot, floodClass)
        let entrance = unsafe counters.entrance(slot, floodClass)
        if isOfFlow, floodClass != .syn {
            trustedAddresses.note(packet.source, known, time: arrival.time)
            counters.count(slot, .knownFlows)
            return true
        }
        if unsafe sources.pointee.denials.contains(place, time: arrival.time) {
            counters.count(slot, .refused)
            return false
        }
        let request = floodClass == .syn ? Request(packet, bytes) : nil
        if unsafe sources.pointee.isTrusted(known),
            unsafe sources.pointee.ceilings.allow(
                place, rate: entrance.pointee.ceiling.load(ordering: .relaxed), time: arrival.time),
            unsafe entrance.pointee.trusted.ask(arrival.time) == .open
        {
            trustedAddresses.note(packet.source, known, time: arrival.time)
            counters.count(slot, .trusted)
            if let request {
                unsafe sources.pointee.shapes.count(request.shape, isProved: true)
                counters.count(slot, .trustedSYNs)
            }
            return true
        }
        if let request {
            guard
                unsafe passes(
                    request, known, packet, slot, entrance, isAttacked: true, guestMAC: guestMAC, arrival, counters)
            else { return false }
            counters.count(slot, .otherSYNs)
            return true
        }
        if unsafe passesInBudget(slot, entrance, arrival.time, counters) { return true }
        if floodClass == .udp, packet.destinationPort == DNSQuery.port {
            unsafe sendToTCP(packet, bytes, slot, entrance, guestMAC: guestMAC, arrival, counters)
        }
        return false
    }

    /// Answers a DNS query that does not pass as one whose answer was cut short, where that is wanted and within what
    /// may be sent. The resolver comes again over TCP, and is trusted once its connection stands.
    @inline(never)
    private mutating func sendToTCP(
        _ packet: Packet, _ bytes: RawSpan, _ slot: HostSlot, _ entrance: UnsafeMutablePointer<Entrance>,
        guestMAC: UInt64, _ arrival: Arrival, _ counters: FloodCounters
    ) {
        let start = Int(packet.payloadOffset)
        guard guestMAC != 0, arrival.canBeAnswered, !challenges.isFull,
            let query = DNSQuery(bytes.extracting(start..<start + Int(packet.payloadLength))),
            unsafe entrance.pointee.repeats.ask(arrival.time) == .open,
            unsafe sources.pointee.challenges.ask(arrival.time) == .open
        else { return }
        challenges.append(truncating: query, packet, arrival, guestMAC: guestMAC)
        counters.count(slot, .challenged)
    }

    /// A connection request from a source that is not trusted, and has the hash `known`. Where such requests are not
    /// what is attacked, there is no budget, and who cannot be challenged passes.
    private mutating func passes(
        _ request: Request, _ known: UInt64, _ packet: Packet, _ slot: HostSlot,
        _ entrance: UnsafeMutablePointer<Entrance>, isAttacked: Bool, guestMAC: UInt64, _ arrival: Arrival,
        _ counters: FloodCounters
    ) -> Bool {
        let (tuple, sequence, time) = (request.tuple, request.sequence, arrival.time)
        let cookies = unsafe sources.pointee.cookies
        let hash = unsafe sources.pointee.hash
        let tupleHash = hash.hash(tuple, from: known)
        let isAnswered = answers.contains(tupleHash, time: time) {
            cookies.isCookie($0, tuple, sequence: sequence, time: time)
        }
        unsafe sources.pointee.shapes.count(request.shape, isProved: isAnswered)
        if isAnswered {
            // It has what only the receiver of the challenge can have. It becomes trusted with its handshake, which
            // the kernel is not to hinder.
            trustedAddresses.note(packet.source, known, time: time)
            counters.count(slot, .answered)
            return true
        }
        // Whoever passes unproved where other TCP is attacked as well would lose the end of his handshake.
        let (losesEnd, canAnswer) = (counters.siftsHandshakes(slot), guestMAC != 0 && arrival.canBeAnswered)
        if isAttacked, !(losesEnd && canAnswer), unsafe passesInBudget(slot, entrance, time, counters) { return true }
        if let age = firstSeen.note(hash.hash(tuple, from: known, sequence: sequence), time: time) {
            guard age >= Sieve.retransmission else { return false }
            let isInBudget = unsafe entrance.pointee.repeats.ask(time) == .open
            // Not proved, but rare: as many as the budget allows, which falls with those that lead to no handshake.
            if losesEnd, isInBudget { repeatedAddresses.note(packet.source, known, time: time) }
            if !isAttacked || isInBudget {
                counters.count(slot, .repeated)
                return true
            }
        }
        guard canAnswer, !challenges.isFull,
            unsafe sources.pointee.mayChallenge(request.shape, time)
        else { return !isAttacked }
        challenges.append(
            packet, arrival, guestMAC: guestMAC, sequence: UInt32(truncatingIfNeeded: tupleHash),
            cookie: cookies.cookie(tuple, sequence: sequence, time: time))
        counters.count(slot, .challenged)
        return false
    }

    private func passesInBudget(
        _ slot: HostSlot, _ entrance: UnsafeMutablePointer<Entrance>, _ time: UInt64, _ counters: FloodCounters
    ) -> Bool {
        guard unsafe entrance.pointee.gate.takeUnknown(time) else { return false }
        counters.count(slot, .unknown)
        return true
    }

    /// Whether a packet is the answer to a challenge: a reset without ACK that carries what may be a cookie.
    /// It is kept, and is no business of the guest's.
    public mutating func takeAnswer(_ packet: Packet, _ bytes: RawSpan, time: UInt64) -> Bool {
        guard packet.tcpFlags.intersection([.rst, .ack, .syn, .fin]) == .rst, let request = Request(packet, bytes),
            unsafe sources.pointee.cookies.mayBeAnswer(request.sequence, request.tuple, time: time)
        else { return false }
        answers.insert(
            unsafe sources.pointee.hash.hash(request.tuple), sequence: request.sequence, time: time)
        return true
    }

    /// Of the source with the hash `known` to a class at a host.
    @inline(__always)
    static func place(_ hash: SecretHash, _ known: UInt64, _ slot: HostSlot, _ floodClass: FloodClass) -> UInt64 {
        hash.hash(known, and: UInt64(truncatingIfNeeded: Int(slot) &* 5 &+ Int(floodClass.rawValue)))
    }

    // MARK: - Foresight

    /// Begins to fetch what will be looked up for a packet, whose bytes begin with an IP header, if it is of a class
    /// that is sifted. The tables are looked into at random and no cache holds them: asked for one packet at a time,
    /// the processor waits about 100 ns for each; asked for a batch ahead, for all of them together.
    @inline(never)
    public func foresee(_ bytes: RawSpan) {
        guard let glance = Glance(bytes) else { return }
        let hash = unsafe sources.pointee.hash
        let known = hash.hash(glance.tuple.source)
        unsafe sources.pointee.prefetch(known)
        guard glance.isRequest else { return }
        firstSeen.prefetch(hash.hash(glance.tuple, from: known, sequence: glance.sequence))
    }
}

/// What a TCP segment says of who asks whom.
private struct Request {
    var tuple: FourTuple
    var sequence: UInt32
    var shape: RequestShapes.Place

    /// nil for what is no whole TCP header.
    init?(_ packet: Packet, _ bytes: RawSpan) {
        let start = Int(packet.transportOffset)
        guard packet.kind == .tcp, start >= 0, start + TCPHeader.minimumSize <= bytes.byteCount,
            let header = TCPHeader(bytes.extracting(start..<bytes.byteCount))
        else { return nil }
        tuple = FourTuple(packet)
        sequence = header.sequence
        shape = RequestShapes.place(
            isV4: packet.source.isV4, length: UInt32(truncatingIfNeeded: packet.statedLength), window: header.window)
    }
}
