/// One way of measuring, and the figures that come of it.
struct Measurement: Sendable {
    let figures: [Figure]
    let needsQueue: Bool
    let run: @Sendable (Stand) throws -> [Figure: Double]

    static let all: [Measurement] = [
        Measurement(figures: [.capacity60], needsQueue: true) { [.capacity60: try capacity($0, size: 60)] },
        Measurement(figures: [.capacity1400], needsQueue: true) {
            [.capacity1400: try capacity($0, size: 1400)]
        },
        Measurement(figures: [.cpu, .cpuUser, .cpuKernel], needsQueue: true, run: processorTime),
        Measurement(figures: [.deliveredOneFlow], needsQueue: false) {
            [.deliveredOneFlow: try delivered($0, flows: 1)]
        },
        Measurement(figures: [.deliveredManyFlows, .memory], needsQueue: false) { stand in
            var values = [Figure.deliveredManyFlows: try delivered(stand, flows: 60_000)]
            // After what fills a table, if anything does.
            values[.memory] = try residentMemory(stand)
            return values
        },
        Measurement(figures: [.tcpOffload], needsQueue: false) { [.tcpOffload: try bulk($0, offload: true)] },
        Measurement(figures: [.tcpNoOffload], needsQueue: false) {
            [.tcpNoOffload: try bulk($0, offload: false)]
        },
        Measurement(figures: [.roundTripMedian, .roundTripTail], needsQueue: false) { stand in
            let times = try roundTrips(stand, awake: false)
            return [.roundTripMedian: times.median, .roundTripTail: times.tail]
        },
        Measurement(figures: [.roundTripMedianAwake, .roundTripTailAwake], needsQueue: false) { stand in
            let times = try roundTrips(stand, awake: true)
            return [.roundTripMedianAwake: times.median, .roundTripTailAwake: times.tail]
        },
    ]
}
