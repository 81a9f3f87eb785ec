import Evidence
import Floods
import Testing
import Wire

/// A host, its table and a controller on a clock of the test's own.
private struct Bench {
    let table = FloodTable(slotCount: 1, workerCount: 2)
    var controller: FloodController
    var time: UInt64 = 1_000_000_000_000
    var events: [FloodEvent] = []
    let address = Address("192.0.2.1")!

    init(_ limit: FloodLimit, for floodClass: FloodClass = .udp, shadow: Bool = false) {
        var limits = FloodLimits(.low)
        limits[floodClass] = limit
        controller = FloodController(
            table: table, guests: [GuestFloods(name: "web", shadow: shadow, limits: limits)],
            memory: FloodMemory(workers: 2))
    }

    /// `rate` packets a second for `steps` tenths of a second, spread over both workers. Returns how many
    /// passed.
    @discardableResult
    mutating func run(_ rate: Int, steps: Int, _ floodClass: FloodClass = .udp) -> Int {
        var passed = 0
        for _ in 0..<steps {
            let count = rate / 10
            for packet in 0..<count {
                let moment = time + UInt64(packet) * FloodController.step / UInt64(count)
                let outcome = table.worker(packet % 2).arrive(0, floodClass, bytes: 100, time: moment)
                passed += outcome == .open ? 1 : 0
            }
            time += FloodController.step
            let address = address
            events += controller.step(
                time, identify: { _ in HostIdentity(address: address, guest: 0) }, release: { _ in })
        }
        return passed
    }
}

@Suite("Alarm, action and all-clear")
struct FloodControllerTests {
    private let deny = FloodLimit(entry: 1000, exit: 500, action: .deny, pass: 0)

    @Test("Below the limit nothing is said", arguments: FloodClass.allCases)
    func quiet(_ floodClass: FloodClass) {
        var bench = Bench(deny, for: floodClass)
        #expect(bench.run(990, steps: 100, floodClass) == 9900)
        #expect(bench.events.isEmpty)
    }

    @Test("Each class has its own limit", arguments: FloodClass.allCases)
    func classes(_ floodClass: FloodClass) {
        var bench = Bench(deny, for: floodClass)
        bench.run(5000, steps: 20, floodClass)
        #expect(bench.events.map(\.floodClass) == [floodClass])
        #expect(bench.events.first?.guest == "web")
        #expect(bench.events.first?.threshold == 1000)
    }

    @Test("Ten times the limit raises the alarm in the first step, just over it within a second and a step")
    func promptness() {
        var fast = Bench(deny)
        fast.run(10_000, steps: 1)
        #expect(fast.events.map(\.phase) == [.open])
        #expect(fast.events.first?.concern == .high)

        var slow = Bench(deny)
        slow.run(1010, steps: 11)
        #expect(slow.events.map(\.phase) == [.open])
        #expect(slow.events.first?.concern == .low)
    }

    @Test("One flood is one alarm: it opens once and closes once, with what it was")
    func once() throws {
        var bench = Bench(deny)
        bench.run(100, steps: 20)
        bench.run(20_000, steps: 50)
        bench.run(100, steps: 40)
        #expect(bench.events.map(\.phase) == [.open, .close])
        let close = try #require(bench.events.last)
        #expect(close.identifier == bench.events[0].identifier)
        #expect((19_000...21_000).contains(close.peakRate))
        // Five seconds of it, two of calm.
        #expect(close.packets >= 99_000 && close.packets <= 101_000)
        #expect((90_000...100_500).contains(close.dropped))
        #expect((6_500_000_000...8_500_000_000).contains(close.time - close.opened))
        #expect(bench.controller.open.isEmpty)
    }

    @Test("A rate between exit and entry keeps an alarm that is open, and raises none")
    func hysteresis() {
        var bench = Bench(deny)
        bench.run(700, steps: 100)
        #expect(bench.events.isEmpty)
        bench.run(5000, steps: 10)
        bench.run(700, steps: 100)
        #expect(bench.events.map(\.phase) == [.open])
        bench.run(400, steps: 32)
        #expect(bench.events.map(\.phase) == [.open, .close])
    }

    @Test("Pulses of half a second on, one off, are one flood")
    func pulses() {
        var bench = Bench(deny)
        for _ in 0..<10 {
            bench.run(20_000, steps: 5)
            bench.run(0, steps: 10)
        }
        bench.run(0, steps: 31)
        #expect(bench.events.map(\.phase) == [.open, .close])
    }

    @Test("deny stops the class until the flood is over")
    func denied() {
        var bench = Bench(deny)
        bench.run(20_000, steps: 1)
        #expect(bench.run(20_000, steps: 20) == 0)
        #expect(bench.run(100, steps: 20) == 0)
        bench.run(0, steps: 20)
        #expect(bench.run(100, steps: 10) == 100)
    }

    @Test("throttle lets its rate through")
    func throttled() {
        var bench = Bench(FloodLimit(entry: 1000, exit: 500, action: .throttle, pass: 800))
        bench.run(20_000, steps: 1)
        let passed = bench.run(20_000, steps: 50)
        #expect((3950...4130).contains(passed))
    }

    @Test("alert stops nothing")
    func watched() {
        var bench = Bench(FloodLimit(entry: 1000, exit: 500, action: .alert, pass: 0))
        #expect(bench.run(20_000, steps: 20) == 40_000)
        #expect(bench.events.map(\.phase) == [.open])
        #expect(bench.events.first?.action == "alert")
    }

    @Test("Other classes of the same host are not touched")
    func othersPass() {
        var bench = Bench(deny)
        bench.run(20_000, steps: 5, .udp)
        #expect(bench.run(500, steps: 10, .tcp) == 500)
        #expect(bench.run(500, steps: 10, .icmp) == 500)
    }

    @Test("New limits take hold of a flood that is open")
    func relimit() {
        var bench = Bench(deny)
        bench.run(20_000, steps: 5)
        var limits = FloodLimits(.low)
        limits[.udp] = FloodLimit(entry: 1000, exit: 500, action: .alert, pass: 0)
        let address = bench.address
        bench.controller.replaceLimits(
            [GuestFloods(name: "web", shadow: false, limits: limits)],
            identify: { _ in HostIdentity(address: address, guest: 0) })
        #expect(bench.run(20_000, steps: 1) == 2000)
        #expect(bench.events.count == 1)
    }

    @Test("At the end what is open is closed, and its gate opened")
    func closeAll() {
        var bench = Bench(deny)
        bench.run(20_000, steps: 5)
        let address = bench.address
        let events = bench.controller.closeAll(
            bench.time, identify: { _ in HostIdentity(address: address, guest: 0) })
        #expect(events.map(\.phase) == [.close])
        #expect(bench.table.worker(0).arrive(0, .udp, bytes: 1, time: bench.time) == .open)
    }

    @Test("Rates and totals for the status")
    func figures() {
        var bench = Bench(deny)
        bench.run(600, steps: 30)
        #expect(bench.controller.rate(0, .udpIn) >= 590 && bench.controller.rate(0, .udpIn) <= 670)
        #expect(bench.controller.total(0, HostCounter.udpIn.rawValue) == 1800)
        #expect(bench.controller.total(0, HostCounter.bytesIn.rawValue) == 180_000)
    }

    @Test("A slot's next holder starts at nothing, and an idle one is given back")
    func holders() {
        let table = FloodTable(slotCount: 1, workerCount: 1)
        var controller = FloodController(
            table: table, guests: [GuestFloods(name: "net", shadow: false, limits: FloodLimits())],
            memory: FloodMemory(workers: 1))
        var released = 0
        var time: UInt64 = 1_000_000_000_000
        func step(_ host: String, _ count: Int = 1) {
            for _ in 0..<count {
                time += FloodController.step
                _ = controller.step(
                    time, identify: { _ in HostIdentity(address: Address(host)!, guest: 0) },
                    release: { _ in released += 1 })
            }
        }
        for _ in 0..<50 { _ = table.worker(0).arrive(0, .icmp, bytes: 84, time: time) }
        step("10.0.0.1")
        #expect(controller.total(0, HostCounter.icmpIn.rawValue) == 50)
        step("10.0.0.1", 599)
        #expect(released == 0)
        step("10.0.0.1")
        #expect(released == 1)
        step("10.0.0.2")
        #expect(controller.total(0, HostCounter.icmpIn.rawValue) == 0)
    }
}
