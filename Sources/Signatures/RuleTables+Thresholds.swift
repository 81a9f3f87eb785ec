import Flows
import Synchronization
import Wire

extension RuleTables {
    /// What the thresholds of a rule make of a match: the first that holds it back decides. A rate filter may
    /// put another action in place of the rule's. Only packets of IP are counted
    /// (Suricata's PacketAlertHandle).
    func ruling(
        _ run: Run, _ scene: Scene, _ flows: inout FlowTable, _ table: ThresholdTable, _ action: inout RuleAction
    ) -> ThresholdRuling {
        guard unsafe scene.packet.pointee.isIP else { return .told }
        for i in run.lower..<run.upper {
            let ruling = unsafe ruling(thresholds + i, scene, &flows, table, &action)
            if ruling != .told { return ruling }
        }
        return .told
    }

    private func ruling(
        _ threshold: UnsafePointer<CompiledThreshold>, _ scene: Scene, _ flows: inout FlowTable,
        _ table: ThresholdTable, _ action: inout RuleAction
    ) -> ThresholdRuling {
        let limit = unsafe threshold.pointee
        if limit.kind == .suppress {
            return unsafe concerns(limit, scene.packet) ? .silent : .told
        }
        if limit.kind == .threshold, limit.count == 1, limit.track != .flow { return .told }
        if limit.kind == .rateFilter, unsafe !concerns(limit, scene.packet) { return .told }
        // What is counted by flow is nothing where there is none.
        guard let key = unsafe key(of: limit, scene, &flows, table) else { return .none }
        let time = unsafe scene.time
        guard let (record, isNew) = unsafe table.record(key, time: time, lifetime: limit.lifetime) else {
            return .told
        }
        switch limit.kind {
        case .rateFilter:
            if unsafe record.pointee.exceeds(limit, isNew, time) {
                action = limit.action
                if limit.isSilent { return .silent }
            }
            return .told
        case .detectionFilter where limit.uniquePort != .none:
            return unsafe exceedsPorts(limit, key, record, isNew, scene, table) ? .told : .none
        case .backoff:
            let count = unsafe isNew ? 1 : record.pointee.increment()
            // It is over when the flow is; this says that the flow goes on.
            unsafe record.pointee.start.store(time, ordering: .relaxed)
            if limit.isStep(count) { return .told }
            return isNew ? .none : .silent
        default:
            let count = unsafe isNew ? 1 : record.pointee.add(time: time, seconds: limit.seconds)
            switch limit.kind {
            case .limit: return count <= limit.count ? .told : .silent
            case .threshold: return count % limit.count == 0 ? .told : .none
            case .both: return count < limit.count ? .none : count == limit.count ? .told : .silent
            default: return count > limit.count ? .told : .none
            }
        }
    }

    /// Whether the tracked address is one of those that are named.
    private func concerns(_ limit: CompiledThreshold, _ packet: UnsafePointer<Packet>) -> Bool {
        if limit.addresses.count == 0 { return true }
        let (source, destination) = unsafe (packet.pointee.source, packet.pointee.destination)
        switch limit.track {
        case .source: return unsafe holds(source, limit.addresses)
        case .destination: return unsafe holds(destination, limit.addresses)
        default: return unsafe holds(source, limit.addresses) || holds(destination, limit.addresses)
        }
    }

    private func key(
        of limit: CompiledThreshold, _ scene: Scene, _ flows: inout FlowTable, _ table: ThresholdTable
    ) -> HostKey? {
        let packet = unsafe scene.packet
        let key: HostKey
        switch limit.track {
        case .source: key = unsafe HostKey(limit.rule, packet.pointee.source, secret: table.secret)
        case .destination: key = unsafe HostKey(limit.rule, packet.pointee.destination, secret: table.secret)
        case .pair, .either:
            key = unsafe HostKey(limit.rule, packet.pointee.source, packet.pointee.destination, secret: table.secret)
        case .rule: key = HostKey(limit.rule, secret: table.secret)
        case .flow:
            guard let flow = unsafe scene.step.flow else { return nil }
            key = unsafe HostKey(limit.rule, secret: table.secret).part(flows.identity(of: flow))
        }
        return key.part(limit.variant)
    }

    /// Counts ports. Each that is counted has a record of its own, which lasts as long as the time in which is
    /// counted; none is needed any more once there are enough.
    private func exceedsPorts(
        _ limit: CompiledThreshold, _ key: HostKey, _ record: UnsafeMutablePointer<ThresholdTable.Record>,
        _ isNew: Bool, _ scene: Scene, _ table: ThresholdTable
    ) -> Bool {
        let time = unsafe scene.time
        let (source, destination) = unsafe (scene.packet.pointee.sourcePort, scene.packet.pointee.destinationPort)
        let port = limit.uniquePort == .source ? source : destination
        var began = unsafe record.pointee.start.load(ordering: .relaxed)
        var begins = isNew
        if !isNew, time > began &+ UInt64(limit.seconds) &* 1_000_000_000 {
            began = time
            begins = true
            unsafe record.pointee.start.store(time, ordering: .relaxed)
            unsafe record.pointee.count.store(1, ordering: .relaxed)
        }
        var count = unsafe record.pointee.count.load(ordering: .relaxed)
        if !begins, count > limit.count { return true }
        let place = key.part(1 << 32 | UInt64(port))
        guard let seen = unsafe table.record(place, time: time, lifetime: limit.lifetime) else { return false }
        // A record of an earlier time is as good as none.
        let isKnown =
            unsafe !seen.isNew && seen.record.pointee.start.load(ordering: .relaxed) >= began && !begins
        unsafe seen.record.pointee.start.store(time, ordering: .relaxed)
        if !begins, !isKnown { count = unsafe record.pointee.increment() }
        return !begins && count > limit.count
    }
}

extension CompiledThreshold {
    /// Seconds after which what was counted no longer matters. A flow may be silent for as long as Suricata's
    /// defaults let one of TCP.
    fileprivate var lifetime: UInt32 {
        track == .flow ? max(seconds, timeout, 600) : max(seconds, timeout)
    }

    /// Whether `number` is the count, or that times a power of the multiplier.
    fileprivate func isStep(_ number: UInt32) -> Bool {
        var next = count
        while next < number, multiplier > 1 {
            let (product, overflows) = next.multipliedReportingOverflow(by: multiplier)
            if overflows { return false }
            next = product
        }
        return next == number
    }
}

extension ThresholdTable.Record {
    /// Whether a rate filter's new action stands for this match.
    fileprivate func exceeds(_ limit: CompiledThreshold, _ isNew: Bool, _ time: UInt64) -> Bool {
        if isNew { return false }
        let began = since.load(ordering: .relaxed)
        guard began == 0 else {
            // Whole seconds, and the match at which it is over is not counted.
            if time / 1_000_000_000 &- began / 1_000_000_000 <= UInt64(limit.timeout) { return true }
            since.store(0, ordering: .relaxed)
            return false
        }
        guard add(time: time, seconds: limit.seconds) > limit.count else { return false }
        since.store(time, ordering: .relaxed)
        return true
    }
}
