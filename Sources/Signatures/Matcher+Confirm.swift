import Evidence
import Flows
import Wire

/// Which of the entries do match, and what comes of it.
extension Matcher {
    @inline(never)
    mutating func confirm<Meter: RuleMeter>(
        _ packet: @_addressable Packet, _ subject: Subject, _ bytes: RawSpan, _ context: @_addressable MatchContext,
        _ step: @_addressable FlowStep,
        _ flows: inout FlowTable, into findings: inout Findings, _ meter: Meter
    ) -> MatchOutcome {
        unsafe withUnsafePointer(to: packet) { packet in
            unsafe bytes.withUnsafeBytes { buffer in
                // A packet without bytes has no address; nothing is read there.
                let start = unsafe buffer.baseAddress ?? UnsafeRawPointer(seam)
                let scene = unsafe Scene(
                    packet: packet, bytes: start.assumingMemoryBound(to: UInt8.self), count: buffer.count,
                    step: step, outerTag: context.outerTag, time: context.time,
                    isReassembled: context.isReassembled,
                    trustsChecksums: context.trustsChecksums, handlings: context.handlings)
                return unsafe confirm(scene, subject, &flows, into: &findings, meter)
            }
        }
    }

    private mutating func confirm<Meter: RuleMeter>(
        _ scene: Scene, _ subject: Subject, _ flows: inout FlowTable, into findings: inout Findings, _ meter: Meter
    ) -> MatchOutcome {
        var outcome = MatchOutcome()
        let isOtherReading = unsafe scene.step.reading != 0
        var cursor = 0
        var alerts = 0
        var last = UInt32.max
        while let (number, plane) = unsafe candidates.popFirst(&cursor) {
            let entry = unsafe tables.entries + number
            guard unsafe !scene.step.isStreamOnly || entry.pointee.traits.isSuperset(of: [.hasPayload, .streams]) else {
                continue
            }
            if isOtherReading, unsafe hasMatched(entry.pointee.finding.code) { continue }
            meter.turn(to: unsafe entry.pointee.finding.code)
            guard unsafe tables.endpointsMatch(entry, scene.packet.pointee, subject),
                unsafe scene.admits(entry.pointee.flow)
            else { continue }
            guard unsafe tables.conditionsHold(entry.pointee.conditions, scene) else {
                if unsafe entry.pointee.traits.contains(.namesApplication) && scene.isUntold {
                    unsafe remember(number, entry, plane, scene, &flows)
                }
                continue
            }
            guard unsafe tables.stateHolds(entry.pointee.tests, scene, &flows, hostBits)
            else { continue }
            var finding = unsafe entry.pointee.finding
            if unsafe entry.pointee.traits.contains(.hasPayload) || entry.pointee.parts.count != 0 {
                guard let place = unsafe partsMatch(entry, plane, subject, scene, &flows) else {
                    unsafe remember(number, entry, plane, scene, &flows)
                    continue
                }
                finding.matchedStream = place == .stream
                // Behind the match there may be the beginning of another.
                if unsafe place == .stream && !entry.pointee.traits.contains(.isProven) {
                    unsafe remember(number, entry, plane, scene, &flows)
                }
            }
            // The two directions of a rule are neighbours, and one finding of it is enough.
            if finding.code == last { continue }
            last = finding.code
            if matchedCount < matched.count {
                matched[matchedCount] = last
                matchedCount &+= 1
            }
            meter.matched()
            unsafe tables.apply(entry.pointee.effects, scene, &flows, hostBits)
            var action = unsafe entry.pointee.action
            // Before a threshold may have it otherwise for the moment.
            guard unsafe scene.handlings.apply(to: &finding, &action) else { continue }
            var ruling = ThresholdRuling.told
            if unsafe entry.pointee.thresholds.count != 0 {
                ruling = unsafe tables.ruling(entry.pointee.thresholds, scene, &flows, thresholds, &action)
                if ruling == .none { continue }
                finding.asks = action == .drop || action == .reject ? .drop : .accept
            }
            // Data before the handshake is complete is no stream yet.
            unsafe outcome.add(entry, action, inStream: finding.matchedStream && scene.step.isEstablished)
            if unsafe entry.pointee.tags.count != 0 { unsafe tables.tag(entry.pointee.tags, scene, &flows, tags) }
            // What a threshold does not let it say, a rule that passes does not do either.
            if ruling == .silent { continue }
            let isPass = action == .pass
            let speaks = unsafe isPass ? entry.pointee.traits.contains(.loud) : !entry.pointee.traits.contains(.silent)
            if speaks {
                finding.passes = isPass
                if alerts < Matcher.alertLimit { findings.append(finding) } else { findings.withhold() }
                alerts &+= 1
            }
            if isPass {
                unsafe candidates.removeAll()
                break
            }
        }
        meter.end()
        return outcome
    }

    private func hasMatched(_ code: UInt32) -> Bool {
        for i in 0..<matchedCount where matched[i] == code { return true }
        return false
    }

    /// Has an entry whose pattern was found in the stream asked again when there is more of it.
    @inline(__always)
    private func remember(
        _ number: Int, _ entry: UnsafePointer<Entry>, _ plane: CandidateSet.Plane, _ scene: Scene,
        _ flows: inout FlowTable
    ) {
        guard !plane.isDisjoint(with: [.stream, .history]),
            unsafe entry.pointee.traits.contains(.streams) && !entry.pointee.traits.contains(.unprompted)
        else { return }
        unsafe flows.remember(UInt32(number) | generation, scene.step)
    }

    /// Where all parts of an entry match; nil if they do not.
    private mutating func partsMatch(
        _ entry: UnsafePointer<Entry>, _ plane: CandidateSet.Plane, _ subject: Subject, _ scene: Scene,
        _ flows: inout FlowTable
    ) -> CandidateSet.Plane? {
        var place = CandidateSet.Plane.packet
        if unsafe entry.pointee.traits.contains(.hasPayload) {
            guard let found = unsafe payloadMatches(entry, plane, subject, scene, &flows) else { return nil }
            place = found
        }
        var i = unsafe entry.pointee.parts.lower
        while unsafe i < entry.pointee.parts.upper {
            let part = unsafe tables.parts + i
            if unsafe part.pointee.buffer != .payload {
                var furthest: Int32 = 0
                guard let text = unsafe scene.text(of: part.pointee.buffer),
                    unsafe text.length >= part.pointee.minimumLength,
                    unsafe holds(part, text, &furthest)
                else { return nil }
            }
            i &+= 1
        }
        return place
    }

    /// The payload part: first in what is new of the stream, then in the packet, if that is not the same
    /// (Suricata's DetectEngineInspectRulePayloadMatches).
    private mutating func payloadMatches(
        _ entry: UnsafePointer<Entry>, _ plane: CandidateSet.Plane, _ subject: Subject, _ scene: Scene,
        _ flows: inout FlowTable
    ) -> CandidateSet.Plane? {
        let traits = unsafe entry.pointee.traits
        let part = unsafe tables.parts + entry.pointee.parts.lower
        let isProven = traits.contains(.isProven)
        let window = unsafe scene.step.window
        if traits.contains(.streams), window.freshLength > 0, !plane.isDisjoint(with: [.stream, .history]) {
            let isScanned = plane.contains(.stream)
            // What was found before its application was known is as good as new once it is.
            let isAwaited = unsafe isTold && entry.pointee.traits.contains(.namesApplication)
            if isProven {
                if isScanned || isAwaited { return .stream }
            } else {
                let (bytes, length) = unsafe flows.contiguous(scene.step)
                let text = unsafe Subtext(bytes: bytes, length: length, origin: Int64(clamping: window.offset))
                var furthest: Int32 = 0
                if unsafe length >= part.pointee.minimumLength, unsafe holds(part, text, &furthest) {
                    if isAwaited || furthest > window.historyLength { return .stream }
                    // What was wholly there before was found before, unless the rule asks for more than the payload.
                    // A match that needed no byte, only the absence of some, is one of all that comes.
                    let isSettled = unsafe entry.pointee.conditions.count == 0 && entry.pointee.tests.count == 0
                    if isScanned, !isSettled || furthest == 0 { return .stream }
                    if unsafe comesAgain(part, text, behind: furthest, window.historyLength) { return .stream }
                }
            }
        }
        guard plane.contains(.packet), unsafe traits.contains(.packets) || !scene.step.isAdded,
            unsafe subject.payloadLength >= entry.pointee.minimumPayload
        else { return nil }
        // An only_stream rule never looks at a packet.
        if unsafe entry.pointee.flow.contains(.onlyStream) { return nil }
        if isProven { return .packet }
        let text = unsafe Subtext(
            bytes: scene.bytes + Int(subject.payloadOffset), length: subject.payloadLength)
        var furthest: Int32 = 0
        return unsafe holds(part, text, &furthest) ? .packet : nil
    }

    /// Whether, of the matches that follow the first one, which ended at `place`, each behind the one before, there is
    /// one that ends behind the first `known` bytes. Behind a crowd of them only what is new is asked.
    private mutating func comesAgain(
        _ part: UnsafePointer<CompiledPart>, _ text: Subtext, behind place: Int32, _ known: Int32
    ) -> Bool {
        var furthest = place
        var end: Int32 = 0
        for tried in 0..<Matcher.repeatLimit where furthest > 0 {
            end = tried == Matcher.repeatLimit - 1 ? max(known, end + furthest) : end + furthest
            let rest = unsafe Subtext(
                bytes: text.bytes + Int(end), length: text.length - end, origin: text.origin + Int64(end))
            furthest = 0
            guard unsafe rest.length >= part.pointee.minimumLength, unsafe holds(part, rest, &furthest) else {
                return false
            }
            if end + furthest > known { return true }
        }
        return false
    }

    private static var repeatLimit: Int { 16 }

    private mutating func holds(
        _ part: UnsafePointer<CompiledPart>, _ text: Subtext, _ furthest: inout Int32
    ) -> Bool {
        switch unsafe tables.partMatches(part.pointee.steps, text, memory, &furthest) {
        case .found: return true
        case .absent: return false
        case .abandoned:
            abandonedSearches &+= 1
            return false
        }
    }
}

extension MatchOutcome {
    @inline(__always)
    fileprivate mutating func add(_ entry: UnsafePointer<Entry>, _ action: RuleAction, inStream: Bool) {
        let actsOnFlow =
            unsafe entry.pointee.traits.contains(.actsOnFlow)
            || (inStream && entry.pointee.traits.contains(.actsOnFlowOfStream))
        switch action {
        case .alert: break
        case .pass:
            // Of a packet that is dropped already there is nothing to pass.
            if drops { return }
            passes = true
            if actsOnFlow { passesFlow = true }
        case .drop, .reject:
            drops = true
            if actsOnFlow { dropsFlow = true }
            if action == .reject {
                let sides = unsafe entry.pointee.finding.rejects
                rejects.formUnion(sides.isEmpty ? .source : sides)
            }
        }
    }
}

extension Scene {
    /// Whether nobody knows yet which application the flow is of.
    fileprivate var isUntold: Bool {
        guard let flow = unsafe step.flow else { return false }
        let application = unsafe flow.pointee.application
        return application != Application.other.rawValue
            && Application(rawValue: application).map { $0.bit == 0 } ?? false
    }

    @inline(__always)
    fileprivate func admits(_ test: FlowTest) -> Bool {
        if test.isEmpty { return true }
        if unsafe test.contains(.onlyFragments) && !isReassembled { return false }
        if unsafe test.contains(.noFragments) && isReassembled { return false }
        // What is of no flow is of none that is established.
        if unsafe test.contains(.notEstablished) && step.isEstablished { return false }
        guard !test.isDisjoint(with: .needsFlow) else { return true }
        guard unsafe step.flow != nil else { return false }
        if unsafe test.contains(.toServer) && !step.toServer { return false }
        if unsafe test.contains(.toClient) && step.toServer { return false }
        return unsafe !test.contains(.established) || step.isEstablished
    }
}
