import Foundation

/// What stands between a flood and the guests.
public enum Barrier: String, Sendable, Codable, CaseIterable {
    /// The bridge alone.
    case none
    /// A queue from which everything is accepted: the bare loop of Benchmarks/Floor.
    case queue
    /// The control: Flinch looks at all but the flood, which one rule drops where it comes in. Less no filter can do:
    /// what is slower than before even so is the machine's doing, on which generator, guests and clients share cores.
    case port
    case flinch
}

/// One cell of the table of floods: what came of the shop's customers and of another guest's.
public struct SiegeCell: Sendable, Codable {
    /// What is played.
    public struct Plan: Sendable, Codable {
        public var barrier: Barrier
        /// syn, tcp, udp, icmp, fragment, or all: one after the other; or client-syn: SYNs that look like clients'.
        public var floodClass: String
        /// Addresses that the packets are from.
        public var sources: Int
        /// Packets a second; 0 for as many as one core sends.
        public var rate: Int
        public var seconds: Int
    }

    /// A figure beside its bar.
    public struct Figure: Sendable, Codable {
        public var name: String
        public var value: Double
        public var unit: String
        /// The value may not be below it, or not above it.
        public var bar: Double
        public var atLeast: Bool
        public var passed: Bool { atLeast ? value >= bar : value <= bar }
        /// How far it is on the right side, as a share of the bar; negative on the wrong one.
        public var margin: Double { (atLeast ? value - bar : bar - value) / max(bar, .leastNonzeroMagnitude) }

        private enum CodingKeys: String, CodingKey { case name, value, unit, bar, atLeast, passed }

        init(_ name: String, _ value: Double, _ unit: String, atLeast bar: Double) {
            (self.name, self.value, self.unit, self.bar, atLeast) = (name, value, unit, bar, true)
        }

        init(_ name: String, _ value: Double, _ unit: String, atMost bar: Double) {
            (self.name, self.value, self.unit, self.bar, atLeast) = (name, value, unit, bar, false)
        }

        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            name = try values.decode(String.self, forKey: .name)
            value = try values.decode(Double.self, forKey: .value)
            unit = try values.decode(String.self, forKey: .unit)
            bar = try values.decode(Double.self, forKey: .bar)
            atLeast = try values.decode(Bool.self, forKey: .atLeast)
        }

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(name, forKey: .name)
            try values.encode(value, forKey: .value)
            try values.encode(unit, forKey: .unit)
            try values.encode(bar, forKey: .bar)
            try values.encode(atLeast, forKey: .atLeast)
            try values.encode(passed, forKey: .passed)
        }
    }

    public var plan: Plan
    /// Packets a second that were sent, and that arrived at the shop, once the flood had been there for two seconds.
    public var offered = 0.0
    public var passing = 0.0
    /// Customers of the shop who were known before, and who were not; milliseconds until the connection stood.
    public var known: Probe
    public var knownBefore: Probe
    public var new: Probe
    public var newSlow: Double
    /// Requests at the other guest.
    public var innocent: Probe
    public var innocentBefore: Probe
    /// Milliseconds from the first packet to the alarm, and until less than a twentieth of what is sent arrives for
    /// good (in steps of about 150 ms); seconds from the last packet to the end of all restrictions.
    public var detected: Double?
    public var mitigated: Double?
    public var recovered: Double?
    /// Percent of the attack's packets that the kernel dropped before they were queued, in the same time as `offered`.
    public var beforeUserSpace: Double?
    /// Bytes: what the sensor holds at the end.
    public var resident: UInt64?
    /// Packets that were not inspected.
    public var uninspected: UInt64?
    /// Percent of the machine's processor time that its hypervisor gave to others meanwhile.
    public var stolen = 0.0

    /// Flinch's figures beside the bars of the project; what others reached is only shown.
    public var figures: [Figure] {
        guard plan.barrier == .flinch else { return [] }
        var figures = [
            Figure("known clients served", known.success, "%", atLeast: 99),
            Figure("new clients connected", new.success, "%", atLeast: 98),
            Figure("new clients p95", newSlow, "ms", atMost: 1200),
            Figure("innocent guest's requests", innocent.success, "%", atLeast: 99.9),
            Figure("innocent guest p99", innocent.p99, "ms", atMost: 1.5 * innocentBefore.p99),
            Figure("known clients p99", known.p99, "ms", atMost: 2 * knownBefore.p99),
            // What was never seen took for ever.
            Figure("detected", detected ?? .greatestFiniteMagnitude, "ms", atMost: 300),
            Figure("mitigated", mitigated ?? .greatestFiniteMagnitude, "ms", atMost: 1000),
            Figure("back to no restriction", recovered ?? .greatestFiniteMagnitude, "s", atMost: 15),
            Figure("dropped before user space", beforeUserSpace ?? 0, "%", atLeast: 95),
        ]
        if offered < 1 { figures.append(Figure("attack packets sent", 0, "/s", atLeast: 1)) }
        return figures
    }
}

extension SiegeCell.Plan {
    /// Seconds that a cell takes, about: the lab, customers before and meanwhile, and the end of all restrictions.
    public var duration: Int { 4 + 2 * seconds + (barrier == .flinch ? 12 : 0) }

    /// The whole table runs for about twenty minutes, the quick one for two.
    public static func table(quick: Bool) -> [SiegeCell.Plan] {
        let million = 1 << 20
        func plan(_ barrier: Barrier, _ floodClass: String, _ sources: Int, _ rate: Int) -> SiegeCell.Plan {
            SiegeCell.Plan(
                barrier: barrier, floodClass: floodClass, sources: sources, rate: rate, seconds: quick ? 6 : 10)
        }
        if quick {
            return [
                plan(.none, "syn", million, 20_000), plan(.flinch, "syn", million, 20_000),
                plan(.flinch, "syn", 1 << 24, 100_000), plan(.flinch, "all", million, 50_000),
            ]
        }
        var plans: [SiegeCell.Plan] = []
        for rate in [20_000, 100_000, 0] { plans.append(plan(.port, "syn", million, rate)) }
        for barrier in [Barrier.none, .queue, .flinch] {
            for rate in [20_000, 100_000, 0] { plans.append(plan(barrier, "syn", million, rate)) }
            for floodClass in ["tcp", "udp", "icmp", "fragment", "all"] {
                plans.append(plan(barrier, floodClass, million, 100_000))
            }
        }
        plans.append(plan(.flinch, "all", million, 0))
        for rate in [20_000, 100_000, 0] { plans.append(plan(.flinch, "client-syn", million, rate)) }
        for sources in [10_000, 65_537, 1 << 24] {
            for rate in [20_000, 100_000, 0] { plans.append(plan(.flinch, "syn", sources, rate)) }
        }
        return plans
    }
}
