import Events
import Evidence
import Foundation
import Testing

struct EventRingTests {
    private func flows(_ ring: EventRing, max: Int = .max) -> [UInt64] {
        var flows: [UInt64] = []
        ring.drain(max: max) { flows.append($0.flow) }
        return flows
    }

    @Test func oldestFirstAcrossTheWrap() {
        let ring = EventRing(capacity: 8)
        var writer = ring.makeWriter()
        var next: UInt64 = 0
        var expected: UInt64 = 0
        for round in 0..<50 {
            for _ in 0..<(round % 9) {
                if writer.append(sampleEvent { $0.flow = next }) { next += 1 }
            }
            #expect(ring.waiting == Int(next - expected))
            let got = flows(ring, max: 5)
            #expect(got == Array(expected..<expected + UInt64(got.count)))
            expected += UInt64(got.count)
        }
        #expect(next > 100, "the ring must have gone round many times")
    }

    @Test func aFullRingCountsWhatItLoses() {
        let ring = EventRing(capacity: 4)
        var writer = ring.makeWriter()
        let results = (0..<7).map { number in writer.append(sampleEvent { $0.flow = UInt64(number) }) }
        #expect(results == [true, true, true, true, false, false, false])
        #expect(ring.lost == 3)
        #expect(flows(ring) == [0, 1, 2, 3], "what was there stays; the newest are lost")
        #expect(flows(ring) == [])
        let hasRoom = writer.append(sampleEvent())
        #expect(hasRoom)
        #expect(ring.lost == 3)
    }

    @Test func drainingTakesNoMoreThanAsked() {
        let ring = EventRing(capacity: 256)
        var writer = ring.makeWriter()
        for number in 0..<200 { writer.append(sampleEvent { $0.flow = UInt64(number) }) }
        #expect(ring.drain(max: 0) { _ in } == 0)
        #expect(flows(ring, max: 3) == [0, 1, 2])
        #expect(flows(ring, max: 130).last == 132)
        #expect(flows(ring).count == 67)
        #expect(ring.memory >= 256 * MemoryLayout<Event>.size)
    }

    /// Two threads, as the worker and the pump: everything arrives once, whole and in order, or is counted.
    @Test(.timeLimit(.minutes(1))) func millionsOfEventsBetweenTwoThreads() {
        #if DEBUG
            let total: UInt64 = 1_000_000
        #else
            let total: UInt64 = 10_000_000
        #endif
        let ring = EventRing(capacity: 1024)
        let producer = Thread {
            var writer = ring.makeWriter()
            var event = sampleEvent()
            for number in 1...total {
                event.flow = number
                event.arrival.time = ~number
                // Every other event waits for room, so that both a full and a moving ring are seen.
                while !writer.append(event) && number % 2 == 0 { sched_yield() }
            }
            event.flow = 0
            while !writer.append(event) { sched_yield() }
        }
        producer.start()
        var received: UInt64 = 0
        var evens: UInt64 = 0
        var previous: UInt64 = 0
        var mistakes = 0
        var isDone = false
        while !isDone {
            let count = ring.drain(max: 300) { event in
                if event.flow == 0 {
                    isDone = true
                    return
                }
                if event.flow <= previous || event.arrival.time != ~event.flow { mistakes += 1 }
                previous = event.flow
                received += 1
                if event.flow % 2 == 0 { evens += 1 }
            }
            if count == 0 { sched_yield() }
        }
        #expect(mistakes == 0)
        #expect(evens == total / 2)
        #expect(received <= total && received + ring.lost >= total)
    }
}
