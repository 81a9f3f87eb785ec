import Conformance
import Testing
import Wire

/// A packet, and what was known of it beside its bytes.
struct Sample: Sendable {
    var bytes: [UInt8]
    var link = LinkLayer.ip
    var isCut = false
    /// Frames that came before it.
    var before: [[UInt8]] = []
    /// What other rooms tell by a decoder event.
    var events: [DecodeEvent] = []
    /// It is the beginning of a stream of this application.
    var application = ApplicationForm.none
    var isToServer = true
    /// It is a datagram that was recognised as DNS.
    var isDNS = false
    var change: @Sendable (inout Surroundings) -> Void = { _ in }

    init(_ bytes: [UInt8], _ link: LinkLayer = .ip, change: @escaping @Sendable (inout Surroundings) -> Void = { _ in })
    {
        self.bytes = bytes
        self.link = link
        self.change = change
    }

    static func frame(_ bytes: [UInt8], before: [[UInt8]] = []) -> Sample {
        var sample = Sample(bytes, .ethernet)
        sample.before = before
        return sample
    }

    static func cut(_ bytes: [UInt8]) -> Sample {
        var sample = Sample(bytes)
        sample.isCut = true
        return sample
    }

    static func event(_ event: DecodeEvent, _ bytes: [UInt8]) -> Sample {
        var sample = Sample(bytes)
        sample.events = [event]
        return sample
    }

    static func stream(_ application: ApplicationForm, toServer: Bool = true, _ bytes: [UInt8]) -> Sample {
        var sample = Sample(bytes)
        sample.application = application
        sample.isToServer = toServer
        return sample
    }

    static func dns(_ bytes: [UInt8]) -> Sample {
        var sample = Sample(bytes)
        sample.isDNS = true
        return sample
    }

    static let table = CheckTable(guestCount: 2)

    /// The checks that it fails.
    func failures() -> Set<Check> {
        var memory = NeighbourMemory(seed: 1)
        var time: UInt64 = 1_700_000_000_000_000_000
        for frame in before {
            _ = examine(frame, .ethernet, time, &memory)
            time += 1_000_000_000
        }
        guard application == .none else {
            return Sample.set(
                unsafe Conformance.examine(streamStart: bytes.span.bytes, application, toServer: isToServer))
        }
        return examine(bytes, link, time, &memory)
    }

    private func examine(
        _ bytes: [UInt8], _ link: LinkLayer, _ time: UInt64, _ memory: inout NeighbourMemory
    ) -> Set<Check> {
        let span = unsafe bytes.span.bytes
        var packet = Decoder.decode(span, as: link, capturedShort: isCut)
        for event in events { packet.events.insert(event) }
        var around = Surroundings(time: time)
        if let header = EthernetHeader(span.extracting(packet.linkHeader)) { around.sourceMAC = header.source }
        around.isTransportChecksumBad = packet.hasValidTransportChecksum(in: span) == false
        change(&around)
        var failed = Conformance.examine(packet, span, around, Sample.table.view, &memory)
        if isDNS { failed.formUnion(Conformance.examine(dnsIn: packet, span)) }
        return Sample.set(failed)
    }

    private static func set(_ failed: CheckSet) -> Set<Check> {
        var failed = failed
        var checks: Set<Check> = []
        while let number = failed.popFirst() { checks.insert(Check(rawValue: number)!) }
        return checks
    }
}

/// A check, a packet that fails it, and one much like it that does not.
struct CheckCase: Sendable, CustomTestStringConvertible {
    let check: Check
    let fails: Sample
    let passes: Sample
    var testDescription: String { Checks[check].identifier }

    init(_ check: Check, _ fails: Sample, _ passes: Sample) {
        self.check = check
        self.fails = fails
        self.passes = passes
    }

    init(_ check: Check, _ fails: [UInt8], _ passes: [UInt8]) {
        self.init(check, Sample(fails), Sample(passes))
    }
}

@Suite struct CheckTests {
    static let cases = linkCases + internetCases + transportCases + controlCases + applicationCases

    @Test func everyCheckHasACase() {
        // What only conversations tell has its cases in InspectionTests (`SessionTests`).
        let ofSessions: Set<Check> = [
            .fragmentLate, .tcpOutOfWindow, .tcpAcknowledgesUnsent, .tcpResetOutOfWindow, .icmpErrorWithoutFlow,
            .icmpErrorOutOfWindow,
        ]
        let covered = Set(CheckTests.cases.map(\.check)).union(ofSessions)
        #expect(covered == Set(Check.allCases), "missing: \(Set(Check.allCases).subtracting(covered))")
    }

    @Test(arguments: cases) func isTold(_ row: CheckCase) {
        #expect(row.fails.failures().contains(row.check), "\(row.fails.failures())")
    }

    @Test(arguments: cases) func isNotToldOfTheNeighbour(_ row: CheckCase) {
        #expect(!row.passes.failures().contains(row.check))
    }

    /// What there is most of fails nothing at all.
    @Test(arguments: [
        ipv4(6, tcp()), ipv4(6, tcp([], flags: .syn, options: hex("020405b4 0402080a 00000001 00000000 01030307"))),
        ipv4(6, tcp([], flags: [.syn, .ack])), ipv4(6, tcp([], flags: [.rst])), ipv4(6, tcp([], flags: [.fin, .ack])),
        ipv4(17, udp()), ipv4(1, icmp(8)), ipv4(1, icmp(0)),
        ipv4(1, icmp(3, 3, rest: zeros(4), ipv4(17, udp(), from: "10.0.0.2"))),
        ipv6(6, tcp()), ipv6(17, udp()), ipv6(58, icmp(128)), ipv6(58, icmp(135, rest: zeros(4), two), hops: 255),
        ipv4(17, udp([1] + zeros(239), from: 68, to: 67), from: "0.0.0.0", to: "255.255.255.255"),
    ]) func ordinaryPacketsFailNothing(_ bytes: [UInt8]) {
        #expect(Sample(bytes).failures() == [])
    }

    @Test(arguments: [
        udp(dns(question), to: 53), udp(dns(flags: 0x8180, counts: [1, 1, 0, 0], question + answer), from: 53),
    ]) func ordinaryDNSFailsNothing(_ datagram: [UInt8]) {
        #expect(Sample.dns(ipv4(17, datagram)).failures() == [])
        let message = Array(datagram.dropFirst(8))
        let stream = big16(message.count) + message
        // Two at once, and any part of them.
        for end in 0...2 * stream.count {
            #expect(Sample.stream(.dns, Array((stream + stream).prefix(end))).failures() == [], "\(end)")
        }
    }
}
