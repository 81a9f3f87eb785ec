import Evidence

/// What the kernel is asked to do by itself.
extension FloodController {
    /// Nanoseconds for which a flood that is throttled or denied must have lasted.
    private static let lasting: UInt64 = 1_000_000_000
    /// Packets a second of unknown sources that are queued, to be asked for proof and learned from. SYNs are
    /// challenged, as many as a worker answers with a fifth of its time; of TCP no stranger passes anyway.
    private static let unknownSYNs: UInt32 = 50_000
    private static let unknownTCP: UInt32 = 200

    /// One order for each class at a host that is not let through as it comes. None for a guest in shadow mode,
    /// and none for hosts that share a slot (`isShared`): what is to be done with them together cannot be told.
    public func orders(
        _ time: UInt64, identify: (Int) -> HostIdentity?, isShared: (Int) -> Bool
    ) -> [FloodOrder] {
        var orders: [FloodOrder] = []
        for flood in open.values {
            let slots = flood.guest.map { groups[$0].slots } ?? [flood.slot]
            for slot in slots where !isShared(slot) {
                guard let host = identify(slot), !guests[host.guest].shadow,
                    let share = share(flood, time, hosts: UInt32(slots.count))
                else { continue }
                orders.append(
                    FloodOrder(
                        host: host.address, slot: slot, floodClass: flood.floodClass,
                        sparesTrusted: flood.limit.action == .defend, share: share))
            }
        }
        return orders
    }

    /// Packets a second of one host's that are queued; nil where the kernel has nothing to do. What is let through
    /// is for the gates to say: they get a quarter more than they let through.
    private func share(_ flood: OpenFlood, _ time: UInt64, hosts: UInt32) -> UInt32? {
        let ample = flood.limit.pass + max(50, flood.limit.pass / 4)
        let lasts = time &- flood.opened >= FloodController.lasting
        switch flood.limit.action {
        case .alert: return nil
        case .deny: return lasts ? 0 : nil
        case .throttle: return lasts ? ample : nil
        case .defend:
            switch flood.floodClass {
            case .syn: return max(1, FloodController.unknownSYNs / hosts)
            case .tcp: return FloodController.unknownTCP
            case .udp where flood.limit.truncatesDNS: return ample + FloodController.truncatedAnswers
            case .udp, .icmp, .fragment: return ample
            }
        }
    }

    /// What the bulk of the SYN floods looks like; empty while that is not known.
    public var hostileShapes: [RequestShape] { hostile.shapes }

    mutating func judgeShapes() {
        let isAttacked = open.values.contains { $0.floodClass == .syn && $0.limit.action == .defend }
        let isWholeSecond = stepCount % 10 == 0
        guard isAttacked || isWholeSecond else { return }
        memory.judgeShapes(&hostile, isAttacked: isAttacked, isWholeSecond: isWholeSecond)
    }

    /// Takes in what the kernel dropped since it was last asked.
    public func countOffloaded(_ order: FloodOrder, packets: UInt64) {
        table.countOffloaded(order.slot, order.floodClass, packets: packets)
    }

    /// Of a flood's packets those that the kernel dropped before the queues.
    public func offloaded(by flood: OpenFlood) -> UInt64 {
        let now = sum(flood, HostCounter.synOffloaded.rawValue + Int(flood.floodClass.rawValue))
        // Hosts of a guest come and go.
        return now > flood.offloadedBefore ? now - flood.offloadedBefore : 0
    }
}
