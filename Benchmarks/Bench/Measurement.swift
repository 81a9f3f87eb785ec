/// One way of measuring, and the figures that come of it.
struct Measurement: Sendable {
    let figures: [Figure]
    let contenders: Set<Contender>
    /// Whether the sensor's allocations are counted meanwhile.
    var counting = false
    let run: @Sendable (Stand) throws -> [Figure: Double]

    static let all: [Measurement] = [
        Measurement(figures: [.capacity60], contenders: Contender.withQueue) {
            [.capacity60: try capacity($0, size: 60)]
        },
        Measurement(figures: [.capacity1400], contenders: Contender.withQueue) {
            [.capacity1400: try capacity($0, size: 1400)]
        },
        Measurement(
            figures: [.cpu, .cpuUser, .cpuKernel], contenders: Contender.withQueue, run: processorTime),
        Measurement(figures: [.deliveredOneFlow], contenders: Contender.all) {
            [.deliveredOneFlow: try delivered($0, flows: 1)]
        },
        Measurement(figures: [.deliveredManyFlows, .memory], contenders: Contender.all) { stand in
            var values = [Figure.deliveredManyFlows: try delivered(stand, flows: 60_000)]
            // After what fills a table, if anything does.
            values[.memory] = try residentMemory(stand)
            return values
        },
        Measurement(figures: [.tcpOffload], contenders: Contender.all) {
            [.tcpOffload: try bulk($0, offload: true)]
        },
        Measurement(figures: [.tcpNoOffload], contenders: Contender.all) {
            [.tcpNoOffload: try bulk($0, offload: false)]
        },
        Measurement(figures: [.roundTripMedian, .roundTripTail], contenders: Contender.all) { stand in
            let times = try roundTrips(stand, awake: false)
            return [.roundTripMedian: times.median, .roundTripTail: times.tail]
        },
        Measurement(figures: [.roundTripMedianAwake, .roundTripTailAwake], contenders: Contender.all) {
            stand in
            let times = try roundTrips(stand, awake: true)
            return [.roundTripMedianAwake: times.median, .roundTripTailAwake: times.tail]
        },
        Measurement(
            figures: [.findingsCPU, .findingsMemory, .findingsEvents, .findingsMails, .findingsTraps],
            contenders: [.mute, .sinks], run: findings),
        Measurement(
            figures: [.mirrorCPU, .mirrorWorker, .mirrorDelivered], contenders: [.none, .ring, .mirror], run: mirrored),
        Measurement(
            figures: [.allocations], contenders: [.flinch], counting: true, run: sensorAllocations),
    ]
}
