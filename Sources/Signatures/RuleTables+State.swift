import Flows
import Wire

extension RuleTables {
    /// Whether all that is asked of the state holds.
    @inline(__always)
    func stateHolds(_ run: Run, _ scene: Scene, _ flows: inout FlowTable, _ hosts: HostBits) -> Bool {
        if run.count == 0 { return true }
        return unsafe testsHold(run, scene, &flows, hosts)
    }

    private func testsHold(_ run: Run, _ scene: Scene, _ flows: inout FlowTable, _ hosts: HostBits) -> Bool {
        for i in run.lower..<run.upper {
            let operation = unsafe operations + i
            guard unsafe holds(operation, scene, &flows, hosts) else { return false }
        }
        return true
    }

    private func holds(
        _ operation: UnsafePointer<CompiledOperation>, _ scene: Scene, _ flows: inout FlowTable, _ hosts: HostBits
    ) -> Bool {
        let verb = unsafe operation.pointee.verb
        switch unsafe operation.pointee.store {
        case .flowBit:
            guard let flow = unsafe scene.step.flow else { return false }
            let all = unsafe operation.pointee.needsAll
            for i in unsafe operation.pointee.names.lower..<operation.pointee.names.upper {
                let isSet = unsafe flows.isSet(names[i], flow)
                let holds = isSet == (verb == .isSet)
                if holds != all { return holds }
            }
            return all
        case .flowInteger:
            guard let flow = unsafe scene.step.flow else { return false }
            let found = unsafe flows.integer(names[operation.pointee.names.lower], flow)
            if verb == .isSet { return found != nil }
            if verb == .isNotSet { return found == nil }
            guard let value = found else { return false }
            let other = unsafe operand(operation, flow, &flows)
            switch verb {
            case .less: return value < other
            case .lessOrEqual: return value <= other
            case .equal: return value == other
            case .notEqual: return value != other
            case .greaterOrEqual: return value >= other
            default: return value > other
            }
        case .hostBit, .pairBit:
            let tick = unsafe HostBits.tick(scene.time)
            let key = unsafe hostKey(operation, scene, hosts)
            return hosts.isSet(key, tick: tick) == (verb == .isSet)
        }
    }

    /// What a rule that matched does to the state.
    @inline(__always)
    func apply(_ run: Run, _ scene: Scene, _ flows: inout FlowTable, _ hosts: HostBits) {
        if run.count == 0 { return }
        for i in run.lower..<run.upper { unsafe apply(operations + i, scene, &flows, hosts) }
    }

    private func apply(
        _ operation: UnsafePointer<CompiledOperation>, _ scene: Scene, _ flows: inout FlowTable, _ hosts: HostBits
    ) {
        let verb = unsafe operation.pointee.verb
        switch unsafe operation.pointee.store {
        case .flowBit:
            guard let flow = unsafe scene.step.flow else { return }
            for i in unsafe operation.pointee.names.lower..<operation.pointee.names.upper {
                let name = unsafe names[i]
                switch verb {
                case .set: unsafe flows.set(name, 1, flow)
                case .unset: unsafe flows.unset(name, flow)
                default:
                    if unsafe flows.isSet(name, flow) {
                        unsafe flows.unset(name, flow)
                    } else {
                        unsafe flows.set(name, 1, flow)
                    }
                }
            }
        case .flowInteger:
            guard let flow = unsafe scene.step.flow else { return }
            let other = unsafe operand(operation, flow, &flows)
            let name = unsafe names[operation.pointee.names.lower]
            let value = unsafe flows.integer(name, flow)
            switch verb {
            case .set: unsafe flows.set(name, other, flow)
            // 32 bits that wrap round. What was never set counts from 0, but nothing is taken from it.
            case .add: unsafe flows.set(name, (value ?? 0) &+ other, flow)
            case .subtract:
                if let value { unsafe flows.set(name, value &- other, flow) }
            default: break
            }
        case .hostBit, .pairBit:
            let tick = unsafe HostBits.tick(scene.time)
            let key = unsafe hostKey(operation, scene, hosts)
            switch verb {
            case .set: unsafe hosts.set(key, tick: tick, expires: operation.pointee.seconds)
            case .unset: hosts.unset(key)
            default:
                if hosts.isSet(key, tick: tick) {
                    hosts.unset(key)
                } else {
                    unsafe hosts.set(key, tick: tick, expires: operation.pointee.seconds)
                }
            }
        }
    }

    /// A number that was never set is 0 where another is compared with it or changed by it (detect-flowint.c).
    private func operand(
        _ operation: UnsafePointer<CompiledOperation>, _ flow: UnsafeMutablePointer<Flow>, _ flows: inout FlowTable
    ) -> UInt32 {
        guard unsafe operation.pointee.valueIsName else { return unsafe operation.pointee.value }
        return unsafe flows.integer(UInt16(truncatingIfNeeded: operation.pointee.value), flow) ?? 0
    }

    private func hostKey(
        _ operation: UnsafePointer<CompiledOperation>, _ scene: Scene, _ hosts: HostBits
    ) -> HostBits.Key {
        let name = unsafe names[operation.pointee.names.lower]
        switch unsafe operation.pointee.track {
        case .source: return unsafe hosts.key(name, scene.packet.pointee.source)
        case .destination: return unsafe hosts.key(name, scene.packet.pointee.destination)
        case .pair: return unsafe hosts.key(name, scene.packet.pointee.source, scene.packet.pointee.destination)
        }
    }
}
