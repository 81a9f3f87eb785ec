import Events
import Evidence
import Foundation
import Testing

struct EventPumpTests {
    private func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            usleep(10_000)
        }
        return false
    }

    @Test func writesWhatComesAndAllOfItAtTheEnd() throws {
        try withFolder { folder in
            let path = folder + "/eve.json"
            let rings = [EventRing(capacity: 64), EventRing(capacity: 16_384)]
            let pump = EventPump(
                rings: rings, file: try EVEFile(path: path), names: sampleNames, sensor: "host1", interval: 5)
            try pump.start()
            var first = rings[0].makeWriter()
            var second = rings[1].makeWriter()
            first.append(sampleEvent())
            #expect(pump.post(sampleFlood(.open)))
            #expect(eventually { pump.written == 2 })
            for _ in 0..<16_000 { second.append(sampleEvent()) }
            #expect(pump.postStats(time: sampleTime, uptime: 1, counters: ["a": 1]))
            pump.stop()
            pump.stop()
            #expect(pump.written == 16_003)
            #expect(pump.lostRing == 0)
            let lines = try contents(path).split(separator: "\n")
            #expect(lines.count == 16_003)
            #expect(lines.allSatisfy { $0.hasSuffix(#""host":"host1"}"#) })
            #expect(!pump.post(sampleFlood(.close)), "it has stopped")
            #expect(pump.lostRing == 1)
        }
    }

    @Test func losesNothingUncounted() throws {
        let ring = EventRing(capacity: 64)
        let pump = EventPump(
            rings: [ring], file: try EVEFile(path: "/dev/full"), names: sampleNames, interval: 1)
        try pump.start()
        var writer = ring.makeWriter()
        for _ in 0..<50_000 { writer.append(sampleEvent()) }
        for _ in 0..<3000 { pump.post(sampleFlood(.open)) }
        pump.stop()
        #expect(pump.written == 0)
        #expect(pump.lostRing + pump.lostWrite == 53_000)
        #expect(pump.lastError?.contains("No space left") == true)
    }

    @Test func newNamesAndRotation() throws {
        try withFolder { folder in
            let path = folder + "/eve.json"
            let ring = EventRing(capacity: 64)
            let pump = EventPump(
                rings: [ring], file: try EVEFile(path: path), names: sampleNames, interval: 2)
            var writer = ring.makeWriter()
            writer.append(sampleEvent())
            var names = sampleNames
            names.guest = { _ in "renamed" }
            pump.replace(names: names)
            try pump.start()
            #expect(eventually { pump.written == 1 })
            try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
            pump.reopen()
            #expect(eventually { FileManager.default.fileExists(atPath: path) })
            writer.append(sampleEvent())
            pump.stop()
            #expect(try contents(path + ".1").contains(#""guest":"web""#), "waiting events keep their names")
            #expect(try contents(path).contains(#""guest":"renamed""#))
        }
    }
}
