import Behaviour
import Events
import Evidence
import Floods
import Flows
import Inspection
import Intake
import Policy
import Signatures
import Topology
import Wire

/// The inspection of a live queue over captured packets, with the capture's time as the clock.
public struct Replay: ~Copyable {
    /// Packets read, and those of a link type or kind that could not be read.
    public private(set) var packets: UInt64 = 0
    public private(set) var unsupported: UInt64 = 0
    public private(set) var bytes: UInt64 = 0
    /// The last packet's time, nanoseconds since the epoch; 0 before the first.
    public private(set) var time: UInt64 = 0
    public let tally = Tally(workerCount: 1)

    private let program: Program
    private var inspector: Inspector
    private var floods: FloodController
    private let watch: BehaviourWatch
    private var nextStep: UInt64 = 0
    /// The captures read, each with the number of the last flow that had begun by its end.
    private var files: [(path: String, lastFlow: UInt64)] = []
    private var kinds = [UInt64](repeating: 0, count: PacketKind.allCases.count)
    private var findings: UInt64 = 0

    /// For the program of a replay: two runs give hosts of large prefixes the same slots, and so report floods
    /// in the same order.
    public static let hostSeed: UInt64 = 0x666C_696E_6368

    /// `program` must have been made for one worker.
    public init(_ program: Program) throws {
        self.program = program
        inspector = try program.inspector(for: 0, tally: tally)
        floods = FloodController(table: program.floods, guests: program.guestFloods, memory: program.floodMemory)
        watch = program.makeWatch()
    }

    /// Reads one capture to its end and encodes what is found. `flush` is called whenever the encoder holds
    /// lines worth writing.
    ///
    /// Throws `CaptureError` for what is no capture, and what `flush` throws.
    public mutating func run(
        _ path: String, into encoder: inout EVEEncoder, flush: (inout EVEEncoder) throws -> Void
    ) throws -> CaptureEnding {
        var capture = try CaptureFile(path: path)
        var number: UInt64 = 0
        while try capture.next() {
            number += 1
            advance(to: capture.time, into: &encoder)
            let arrival = Arrival(time: capture.time)
            let decision = inspector.inspect(
                capture.bytes, capture.link, arrival, capturedShort: capture.isCutShort)
            // A step is a long time for a capture that was made on a fast network.
            if watch.waiting > 1 << 12 { watch.collect() }
            packets += 1
            bytes &+= UInt64(capture.wireLength)
            kinds[Int(inspector.packet.kind.rawValue)] += 1
            findings &+= UInt64(inspector.findings.count + inspector.findings.overflow)
            for index in 0..<inspector.findings.count {
                let layer = Int(inspector.findings[index].layer)
                encode(
                    index, decision, arrival, CapturePlace(file: path, number: number, linkType: capture.linkType),
                    inspector.packets.bytes(of: layer, in: capture.bytes), &encoder)
            }
            inspectEndings(path, &encoder)
            if inspector.hasEndedFlows { encodeFlows(&encoder) }
            if encoder.count > 1 << 16 { try flush(&encoder) }
        }
        files.append((path, inspector.lastFlow))
        unsupported &+= capture.unsupported
        try flush(&encoder)
        return capture.ending
    }

    /// Judges what came since the last step, lets the floods end that are open, and encodes the last line: the
    /// statistics.
    public mutating func finish(into encoder: inout EVEEncoder) {
        repeat {
            inspector.endFlows()
            inspectEndings(files.last?.path ?? "", &encoder)
            encodeFlows(&encoder)
        } while inspector.flowFigures.count > 0
        let end = max(time, nextStep)
        if packets > 0 { step(end, into: &encoder) }
        let program = program
        for event in floods.closeAll(end, identify: program.identify) { encoder.encode(event) }
        for event in watch.closeAll(end) { encoder.encode(event) }
        encoder.encodeStats(time: time, uptime: 0, counters: counters)
    }

    /// One finding of the inspector's, about a packet with these bytes.
    private func encode(
        _ index: Int, _ decision: Decision, _ arrival: Arrival, _ place: CapturePlace, _ packet: RawSpan,
        _ encoder: inout EVEEncoder
    ) {
        let event = Event(inspector, finding: index, decision: decision, arrival: arrival, flowHash: Replay.flowHash)
        let stream = event.finding.matchedStream ? inspector.keptStream(of: Int(event.finding.layer)) : []
        unsafe encoder.encode(event, at: place, packet: packet, payload: stream.isEmpty ? nil : stream.span.bytes)
    }

    /// What flows that are over left behind. No captured packet stands for it, but the capture in which the flow began;
    /// that is `path` if it is none of those that were read before.
    private mutating func inspectEndings(_ path: String, _ encoder: inout EVEEncoder) {
        let arrival = Arrival(time: time)
        while let decision = inspector.inspectEnding(arrival) {
            findings &+= UInt64(inspector.findings.count + inspector.findings.overflow)
            let flow = inspector.endingFlow
            let file = files.first { flow <= $0.lastFlow }?.path ?? path
            for index in 0..<inspector.findings.count {
                encode(
                    index, decision, arrival, CapturePlace(file: file, number: 0, linkType: CapturePlace.raw),
                    inspector.packets.bytes(of: 0, in: RawSpan()), &encoder)
            }
        }
    }

    private func encodeFlows(_ encoder: inout EVEEncoder) {
        inspector.takeEndedFlows(time, Replay.flowHash) { encoder.encode(copy $0) }
    }

    /// Two runs over the same capture give the same flow_id.
    private static let flowHash = SecretHash(seed: 0x666C_696E_6368)

    /// The controller's steps that the capture's clock has passed. After a long silence only those that can
    /// still change something: a window, and what ends a flood.
    private mutating func advance(to time: UInt64, into encoder: inout EVEEncoder) {
        self.time = max(self.time, time)
        if nextStep == 0 { nextStep = time &+ FloodController.step }
        guard time >= nextStep else { return }
        let due = (time &- nextStep) / FloodController.step
        if due > 40 { nextStep = time &- 40 * FloodController.step }
        while nextStep <= time {
            step(nextStep, into: &encoder)
            nextStep &+= FloodController.step
        }
    }

    private mutating func step(_ time: UInt64, into encoder: inout EVEEncoder) {
        inspector.endFlows(before: time)
        let program = program
        for event in floods.step(time, identify: program.identify, release: program.hosts.release) {
            encoder.encode(event)
        }
        for event in watch.step(time) { encoder.encode(event) }
    }

    /// By the names of Suricata's `stats` where there are such.
    private var counters: [String: UInt64] {
        var counters: [String: UInt64] = [
            "decoder.pkts": packets, "decoder.bytes": bytes, "decoder.unsupported": unsupported,
            "detect.findings": findings, "detect.rules_loaded": UInt64(program.rules.rules.count),
            "detect.forgotten": program.memory.forgotten,
            "ips.accepted": tally.accepted(),
            "ips.blocked": Reason.allCases.reduce(0) { $0 &+ tally.dropped($1) },
        ]
        let fragments = tally.fragments()
        counters["defrag.ipv4.fragments"] = fragments.ipv4Fragments
        counters["defrag.ipv4.reassembled"] = fragments.ipv4Reassembled
        counters["defrag.ipv6.fragments"] = fragments.ipv6Fragments
        counters["defrag.ipv6.reassembled"] = fragments.ipv6Reassembled
        counters["defrag.max_frags_reached"] = fragments.noRoom
        counters["defrag.mgr.tracker_timeout"] = fragments.expired
        for kind in PacketKind.allCases { counters["decoder.kind.\(kind)"] = kinds[Int(kind.rawValue)] }
        for (index, floodClass) in FloodClass.allCases.enumerated() {
            counters["flood.\(floodClass.name)"] = floods.raised[index]
        }
        for kind in BehaviourKind.allCases where watch.raised[Int(kind.rawValue)] > 0 {
            counters["behaviour.\(kind.identifier)"] = watch.raised[Int(kind.rawValue)]
        }
        return counters
    }
}
