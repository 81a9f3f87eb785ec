import Evidence
import Floods
import Testing

/// Asks a gate for `count` packets, `spacing` nanoseconds apart, and counts those that pass.
private func passed(
    _ gate: borrowing Gate, count: Int, spacing: UInt64, from start: UInt64 = 1_000_000_000_000
) -> Int {
    (0..<count).count { gate.ask(start + UInt64($0) * spacing) == .open }
}

@Suite("A class at a host: open, closed, or a token bucket")
struct GateTests {
    @Test func openPassesAll() {
        let gate = Gate()
        #expect(passed(gate, count: 1000, spacing: 0) == 1000)
    }

    @Test func denyStopsAll() {
        let gate = Gate()
        gate.set(.deny)
        #expect((0..<1000).allSatisfy { gate.ask(UInt64($0)) == .denied })
        gate.set(.open)
        #expect(gate.ask(1000) == .open)
    }

    @Test("The configured rate passes, whatever comes", arguments: [10, 100, 500, 2_000, 20_000, 1_000_000])
    func rate(_ rate: Int) {
        let gate = Gate()
        gate.set(.throttle(UInt32(rate)))
        // Ten seconds at four times the rate.
        let count = rate * 40
        let passed = passed(gate, count: count, spacing: UInt64(250_000_000 / rate) &* 1)
        let burst = max(1, rate / 10)
        #expect(passed >= rate * 10 - rate / 100 - 1)
        #expect(passed <= rate * 10 + burst + rate / 100 + 1)
    }

    @Test("A tenth of a second's packets may come at once, and no more")
    func burst() {
        let gate = Gate()
        gate.set(.throttle(1000))
        #expect(passed(gate, count: 1000, spacing: 0) == 100)
        // Half a second later the bucket is full again, and not fuller.
        #expect(passed(gate, count: 1000, spacing: 0, from: 1_000_500_000_000) == 100)
    }

    @Test("Less than the rate passes untouched")
    func below() {
        let gate = Gate()
        gate.set(.throttle(1000))
        #expect(passed(gate, count: 5000, spacing: 1_100_000) == 5000)
    }

    @Test("A rate of less than ten a second still passes one at a time")
    func slow() {
        let gate = Gate()
        gate.set(.throttle(2))
        #expect(passed(gate, count: 100, spacing: 100_000_000) == 20)
    }

    @Test("A clock that steps back does not close the gate")
    func clock() {
        let gate = Gate()
        gate.set(.throttle(1000))
        #expect(passed(gate, count: 50, spacing: 0, from: 5_000_000_000_000) == 50)
        #expect(passed(gate, count: 50, spacing: 0, from: 1_000_000_000) == 50)
    }

    @Test("Many workers share one bucket")
    func shared() async {
        let table = FloodTable(slotCount: 1, workerCount: 4)
        table.setGate(0, .udp, .throttle(1000))
        let total = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<4 {
                let counters = table.worker(worker)
                group.addTask {
                    (0..<10_000).count {
                        counters.arrive(0, .udp, bytes: 1, time: 1_000_000_000 + UInt64($0) * 100_000) == .open
                    }
                }
            }
            return await group.reduce(0, +)
        }
        // One second at 40 times the rate, on four clocks that drift apart as they please: the bucket gives
        // its rate and one burst for the second that the fastest has shown, however many ask.
        #expect((1000...1110).contains(total))
        #expect(table.sum(0, .udpIn) == 40_000)
        #expect(table.sum(0, .udpStopped) == UInt64(40_000 - total))
    }
}
