import Evidence
import Floods
import Testing
import Wire

/// One host under one limit, most of whose packets the kernel drops.
private struct Bench {
    let table = FloodTable(slotCount: 1, workerCount: 1)
    let host = Address("192.0.2.1")!
    var controller: FloodController
    var time: UInt64 = 1_000_000_000_000
    var events: [FloodEvent] = []

    init(_ action: FloodAction, _ floodClass: FloodClass = .udp, shadow: Bool = false) {
        var limits = FloodLimits(.low)
        limits[floodClass] = FloodLimit(entry: 1000, exit: 500, action: action, pass: 400)
        controller = FloodController(
            table: table, guests: [GuestFloods(name: "web", shadow: shadow, limits: limits)],
            memory: FloodMemory(workers: 1))
    }

    /// Tenths of a second in which so many packets come to the sensor, and so many end in the kernel.
    mutating func run(_ steps: Int, queued: Int, dropped: Int = 0, _ floodClass: FloodClass = .udp) {
        for _ in 0..<steps {
            for _ in 0..<queued { _ = table.worker(0).arrive(0, floodClass, bytes: 100, time: time) }
            if dropped > 0 {
                controller.countOffloaded(
                    FloodOrder(host: host, slot: 0, floodClass: floodClass, trusted: 0, share: 0),
                    packets: UInt64(dropped))
            }
            time += FloodController.step
            let host = host
            events += controller.step(
                time, identify: { _ in HostIdentity(address: host, guest: 0) }, release: { _ in })
        }
    }

    func orders(isShared: Bool = false) -> [FloodOrder] {
        let host = host
        return controller.orders(
            time, identify: { _ in HostIdentity(address: host, guest: 0) }, isShared: { _ in isShared })
    }
}

@Suite("What the kernel is asked to do")
struct FloodOrderTests {
    @Test("Nothing at rest; a deny or a throttle once it has lasted a second; a defence at once")
    func orders() throws {
        for action in [FloodAction.deny, .throttle, .defend] {
            var bench = Bench(action)
            bench.run(10, queued: 10)
            #expect(bench.orders().isEmpty)
            bench.run(3, queued: 1000)
            #expect(bench.events.map(\.phase) == [.open])
            #expect(bench.orders().isEmpty == (action != .defend))
            bench.run(10, queued: 1000)
            let order = try #require(bench.orders().first)
            #expect(order.host == bench.host && order.floodClass == .udp)
            #expect((order.trusted > 0) == (action == .defend))
            // The gate lets 400 through: it must have more than these to choose from.
            #expect(action == .deny ? order.share == 0 : order.share > 400 && order.share < 800)
            bench.run(150, queued: 0)
            #expect(bench.orders().isEmpty)
        }
    }

    @Test("Nothing for an alarm alone, a guest in shadow mode, or hosts that share a slot")
    func none() {
        var alert = Bench(.alert)
        alert.run(20, queued: 1000)
        #expect(alert.events.count == 1 && alert.orders().isEmpty)
        var shadow = Bench(.deny, shadow: true)
        shadow.run(20, queued: 1000)
        #expect(shadow.events.count == 1 && shadow.orders().isEmpty)
        var shared = Bench(.deny)
        shared.run(20, queued: 1000)
        #expect(shared.orders(isShared: true).isEmpty && !shared.orders().isEmpty)
    }

    @Test(
        "A flood that ends in the kernel goes on until it ends, and its event has all of it",
        arguments: [FloodClass.syn, .tcp, .udp, .icmp, .fragment])
    func course(_ floodClass: FloodClass) throws {
        var bench = Bench(.deny, floodClass)
        bench.run(10, queued: 1000, floodClass)
        bench.run(50, queued: 0, dropped: 1000, floodClass)
        #expect(bench.events.map(\.phase) == [.open])
        bench.run(40, queued: 0, floodClass)
        let close = try #require(bench.events.last)
        #expect(close.phase == .close)
        #expect(close.offloaded == 50_000)
        #expect((58_000...60_000).contains(close.packets))
        #expect(close.dropped >= close.offloaded && close.dropped <= close.packets)
        #expect((9_000...11_000).contains(close.peakRate))
    }

    @Test("Trusted sources have a limit of their own: of SYNs what their gate lets through, told seldom")
    func trusted() throws {
        var bench = Bench(.defend, .syn)
        bench.run(10, queued: 10, .syn)
        bench.run(10, queued: 1000, .syn)
        let rates = try (0..<30).map { _ in
            bench.run(1, queued: 1000, .syn)
            return try #require(bench.orders().first).trusted
        }
        // Their budget is the threshold, 1,000; a quarter more, to the next power of two.
        #expect(Set(rates) == [2048])
        var other = Bench(.defend, .udp)
        other.run(10, queued: 10)
        other.run(10, queued: 1000)
        #expect(try #require(other.orders().first).trusted == 100_000)
    }

    @Test("Of unknown SYNs as many are queued as the workers can take")
    func share() throws {
        var bench = Bench(.defend, .syn)
        bench.run(10, queued: 10, .syn)
        bench.run(10, queued: 1000, .syn)
        func share() throws -> UInt32 { try #require(bench.orders().first).share }
        #expect(try share() == 50_000)
        var lost: UInt64 = 0
        // 400 of 50,000 may be lost by chance.
        for _ in 0..<5 {
            lost += 400
            bench.controller.adaptShare(lost: lost)
        }
        #expect(try share() == 50_000)
        for _ in 0..<3 {
            lost += 5_000
            bench.controller.adaptShare(lost: lost)
        }
        #expect((17_000...17_200).contains(try share()))
        for _ in 0..<30 {
            lost += 5_000
            bench.controller.adaptShare(lost: lost)
        }
        #expect(try share() == 2_000)
        for _ in 0..<40 { bench.controller.adaptShare(lost: lost) }
        #expect(try share() == 50_000)
    }
}
