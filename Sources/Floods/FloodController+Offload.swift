import Evidence
import Glibc

/// What the kernel is asked to do by itself.
extension FloodController {
    /// Nanoseconds for which a flood that is throttled or denied must have lasted.
    private static let lasting: UInt64 = 1_000_000_000
    /// Packets a second of unknown sources that are queued, to be asked for proof and learned from; of TCP no stranger
    /// passes anyway.
    private static let unknownTCP: UInt32 = 200
    /// Packets a second of one host's trusted sources, but for SYNs: as many as a worker takes in with less than half
    /// its time, and more than a gigabit of bulk brings. Hosts that are flooded together share them, down to the least.
    private static let trustedPackets: UInt32 = 100_000
    private static let leastTrustedPackets: UInt32 = 10_000

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
                        trusted: trusted(flood, hosts: UInt32(slots.count)), share: share))
            }
        }
        return orders
    }

    /// Packets a second of one host's trusted sources that are queued as ever. Of SYNs what the gate lets through and a
    /// quarter more, to the next power of two, so that the kernel is not told each step.
    private func trusted(_ flood: OpenFlood, hosts: UInt32) -> UInt32 {
        guard flood.limit.action == .defend else { return 0 }
        guard flood.floodClass == .syn else {
            return max(FloodController.leastTrustedPackets, FloodController.trustedPackets / hosts)
        }
        let least = max(50, defence(of: flood).trusted.rate * 1.25 / Double(hosts))
        return UInt32(exp2(log2(least).rounded(.up)))
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
            case .syn: return max(1, UInt32(queuedShare.rate) / hosts)
            case .tcp: return FloodController.unknownTCP
            case .udp where flood.limit.truncatesDNS: return ample + FloodController.truncatedAnswers
            case .udp, .icmp, .fragment: return ample
            }
        }
    }

    /// Once a second: `lost` packets of floods found the workers' queues for them full, since the start.
    public mutating func adaptShare(lost: UInt64) { queuedShare.adapt(lost: lost) }

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

/// Unknown SYNs a second to one host that are queued, to be challenged and learned from. They follow what the workers
/// can take: what is beyond is dropped where it costs least, and the workers have time for what is not of a flood.
struct QueuedShare: Sendable {
    private(set) var rate = most
    private var lostBefore: UInt64 = 0

    /// As many as a worker answers with a fifth of its time; and what is left on a machine that has none.
    private static let most = 50_000.0
    private static let least = 2_000.0
    /// So many of them may be lost.
    private static let tolerance = 0.01

    /// `lost` is the sum since the start.
    mutating func adapt(lost: UInt64) {
        let fresh = lost > lostBefore ? lost - lostBefore : 0
        lostBefore = lost
        let factor = Double(fresh) > rate * QueuedShare.tolerance ? 0.7 : 1.1
        rate = min(QueuedShare.most, max(QueuedShare.least, rate * factor))
    }
}
