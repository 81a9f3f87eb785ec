/// What is measured on the bridge, by the name that its row has.
enum Figure: String, CaseIterable {
    case capacity60 = "capacity-60"
    case capacity1400 = "capacity-1400"
    case cpu = "cpu"
    case cpuUser = "cpu-user"
    case cpuKernel = "cpu-kernel"
    case deliveredOneFlow = "delivered-1-flow"
    case deliveredManyFlows = "delivered-60000-flows"
    case tcpOffload = "tcp-offload"
    case tcpNoOffload = "tcp-no-offload"
    case roundTripMedian = "roundtrip-p50"
    case roundTripTail = "roundtrip-p99"
    case roundTripMedianAwake = "roundtrip-p50-awake"
    case roundTripTailAwake = "roundtrip-p99-awake"
    case memory = "memory"
    case allocations = "allocations-sensor"
    case findingsCPU = "findings-cpu"
    case findingsMemory = "findings-memory"
    case findingsEvents = "findings-events"
    case findingsMails = "findings-mails"
    case findingsTraps = "findings-traps"
    case mirrorCPU = "mirror-cpu"
    case mirrorWorker = "mirror-worker"
    case mirrorDelivered = "mirror-delivered"

    var unit: String {
        switch self {
        case .capacity60, .capacity1400, .deliveredOneFlow, .deliveredManyFlows, .mirrorDelivered: "packets/s"
        case .cpu, .cpuUser, .cpuKernel, .findingsCPU, .mirrorCPU, .mirrorWorker: "ns/packet"
        case .tcpOffload, .tcpNoOffload: "Gb/s"
        case .roundTripMedian, .roundTripTail, .roundTripMedianAwake, .roundTripTailAwake: "us"
        case .memory, .findingsMemory: "MiB"
        case .allocations: "allocations/packet"
        case .findingsEvents: "lines"
        case .findingsMails, .findingsTraps: "messages"
        }
    }

    /// What is measured, and what it is compared with.
    var pair: (subject: Contender, baseline: Contender) {
        switch self {
        case .findingsCPU, .findingsMemory, .findingsEvents, .findingsMails, .findingsTraps: (.sinks, .mute)
        case .mirrorCPU, .mirrorWorker, .mirrorDelivered: (.mirror, .ring)
        default: (.flinch, .floor)
        }
    }
}

/// What a row must reach, so that a slower Flinch is seen by a machine.
struct Bar {
    enum Limit {
        /// Of the ratio to the baseline.
        case atLeast(Double)
        case atMost(Double)
        /// Of the value itself.
        case valueAtMost(Double)
        case exactly(Double)
        /// Of the value itself: the control that shows that counting works.
        case someOf
    }

    let name: String
    let limit: Limit

    static let all: [Bar] = [
        Bar(.capacity60, .atLeast(0.95)), Bar(.capacity1400, .atLeast(0.95)),
        Bar(.tcpOffload, .atLeast(0.97)), Bar(.tcpNoOffload, .atLeast(0.95)),
        Bar(.cpu, .atMost(1.05)), Bar(.roundTripTailAwake, .atMost(1.1)),
        Bar(.allocations, .exactly(0)), Bar("allocations-decode", .exactly(0)),
        Bar("allocations-floods", .exactly(0)), Bar("allocations-flood-16M", .exactly(0)),
        Bar(.findingsCPU, .atMost(1.02)), Bar(.findingsMemory, .valueAtMost(2)),
        Bar(.findingsEvents, .valueAtMost(10)), Bar(.findingsMails, .exactly(1)), Bar(.findingsTraps, .exactly(1)),
        Bar(.mirrorCPU, .atMost(1.3)),
        Bar("flood-16M", .atMost(1.3)), Bar("conformance", .valueAtMost(40)),
        Bar("behaviour", .valueAtMost(100)), Bar("behaviour-scanned", .valueAtMost(100)),
        Bar("allocations-conformance", .exactly(0)),
        Bar("evidence", .atMost(1.15)), Bar("evidence-copy", .valueAtMost(40)),
        Bar("allocations-evidence", .exactly(0)),
        Bar("allocations-inspection", .exactly(0)), Bar("allocations-relations", .exactly(0)),
        Bar("allocations-control", .someOf),
        Bar("rules-all-rate", .atLeast(0.5)), Bar("allocations-rules-all", .exactly(0)),
    ]

    /// With 3,000 rules of any port to any port, so that every packet is scanned (`--rules`).
    static let withRules: [Bar] = [
        Bar("capacity-60-rules", .atLeast(0.9)), Bar("capacity-1400-rules", .atLeast(0.85)),
        Bar("tcp-offload-rules", .atLeast(0.85)), Bar("tcp-no-offload-rules", .atLeast(0.85)),
        Bar("memory-rules", .valueAtMost(96)),
    ]

    init(_ figure: Figure, _ limit: Limit) { self.init(figure.rawValue, limit) }

    init(_ name: String, _ limit: Limit) {
        self.name = name
        self.limit = limit
    }

    var requirement: String {
        switch limit {
        case .atLeast(let share): "ratio >= \(share)"
        case .atMost(let share): "ratio <= \(share)"
        case .valueAtMost(let value): "value <= \(value.short)"
        case .exactly(let value): "value = \(value.short)"
        case .someOf: "value >= 1"
        }
    }

    func isMet(by row: Row) -> Bool {
        switch limit {
        case .atLeast(let share): row.ratio.map { $0 >= share } ?? false
        case .atMost(let share): row.ratio.map { $0 <= share } ?? false
        case .valueAtMost(let value): row.value <= value
        case .exactly(let value): row.value == value
        case .someOf: row.value >= 1
        }
    }
}
