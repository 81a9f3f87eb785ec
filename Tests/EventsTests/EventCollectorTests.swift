import Events
import Evidence
import Foundation
import Synchronization
import Testing
import Wire

/// Keeps what it is offered.
final class Basket: Outlet {
    private let kept = Mutex<[Report]>([])

    func offer(_ reports: [Report]) { kept.withLock { $0 += reports } }

    var reports: [Report] { kept.withLock { $0 } }
    var lines: [String] { reports.map { String(decoding: $0.line, as: UTF8.self) } }
}

struct EventCollectorTests {
    private func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            usleep(10_000)
        }
        return false
    }

    @Test func offersWhatComesToAllAndAllOfItAtTheEnd() throws {
        let rings = [EventRing(capacity: 64), EventRing(capacity: 16_384)]
        let baskets = [Basket(), Basket()]
        let collector = try EventCollector(
            rings: rings, outlets: baskets, names: sampleNames, sensor: "host1", interval: 5)
        try collector.start()
        var first = rings[0].makeWriter()
        var second = rings[1].makeWriter()
        first.append(sampleEvent())
        #expect(collector.post(sampleFlood(.open)))
        #expect(eventually { baskets[0].reports.count == 2 })
        for number in 0..<16_000 { second.append(sampleEvent { $0.flow = UInt64(number) + 1 }) }
        #expect(collector.postStats(time: sampleTime, uptime: 1, counters: ["a": 1]))
        #expect(collector.post(sampleFlood(.close)))
        collector.stop()
        collector.stop()
        #expect(collector.lost == 0 && rings[1].lost == 0)
        for basket in baskets {
            #expect(basket.reports.count == 16_004)
            #expect(basket.lines.allSatisfy { $0.hasSuffix("\"host\":\"host1\"}\n") })
        }
        let flows = baskets[1].lines.filter { $0.contains("SMB probe") }.compactMap { line in
            line.firstRange(of: "\"flow_id\":").flatMap { Int(line[$0.upperBound...].prefix(while: \.isNumber)) }
        }
        #expect(flows.suffix(16_000) == Array(1...16_000)[...], "in their order")
        #expect(!collector.post(sampleFlood(.close)), "it has stopped")
        #expect(collector.lost == 1)
    }

    @Test func reportsSayWhatTheirLinesSay() throws {
        let ring = EventRing(capacity: 64)
        let basket = Basket()
        let collector = try EventCollector(rings: [ring], outlets: [basket], names: sampleNames, interval: 1)
        var writer = ring.makeWriter()
        writer.append(sampleEvent { $0.finding = Finding(.signature, code: 0, concern: .high, asks: .accept) })
        writer.append(sampleEvent { $0.finding = Finding(.conformance, code: 4, concern: .medium, asks: .accept) })
        collector.post(sampleFlood(.open))
        collector.post(sampleFlood(.close))
        collector.postStats(time: sampleTime, uptime: 1, counters: [:])
        try collector.start()
        collector.stop()
        #expect(basket.reports.count == 5)
        for report in basket.reports {
            let line = String(decoding: report.line, as: UTF8.self)
            #expect(line.contains("\"event_type\":\"\(report.kind.rawValue)\""))
            if let concern = report.concern {
                #expect(line.contains("\"concern\":\"\(concern)\""))
            } else {
                #expect(!line.contains("concern"))
            }
        }
        #expect(basket.reports.map(\.kind) == [.alert, .flood, .stats, .alert, .anomaly])
    }

    @Test func aDroppedPacketIsOneDropEvent() throws {
        let ring = EventRing(capacity: 64)
        let basket = Basket()
        let collector = try EventCollector(
            rings: [ring], outlets: [basket], names: sampleNames, drops: true, interval: 1)
        var writer = ring.makeWriter()
        for (number, verdict) in [(1, Verdict.drop), (1, .drop), (2, .accept), (3, .drop)] {
            writer.append(
                sampleEvent {
                    $0.arrival.time = sampleTime + UInt64(number)
                    $0.verdict = verdict
                    $0.reason = verdict == .drop ? .rule : .none
                    $0.packet.tcpFlags = .syn
                    $0.packet.statedLength = 60
                    $0.packet.hopLimit = 64
                })
        }
        try collector.start()
        collector.stop()
        #expect(basket.reports.map(\.kind) == [.alert, .drop, .alert, .alert, .alert, .drop])
        #expect(
            basket.lines[1].contains(
                #""drop":{"len":60,"ttl":64,"syn":true,"ack":false,"psh":false,"rst":false,"urg":false,"fin":false,"#
                    + #""reason":"rules"}"#))
        #expect(!basket.lines[1].contains("\"alert\":{"))
    }

    /// Flows have a ring of their own, and come behind what was found.
    @Test func flows() throws {
        let ring = EventRing(capacity: 64)
        let flows = Ring<FlowEvent>(capacity: 64)
        let basket = Basket()
        let collector = try EventCollector(
            rings: [ring], flows: [flows], outlets: [basket], names: sampleNames, communityID: true, interval: 1)
        var flowWriter = flows.makeWriter()
        for _ in 0..<80 { flowWriter.append(sampleFlow()) }
        #expect(flows.lost == 16 && flowWriter.isHalfFull)
        var writer = ring.makeWriter()
        writer.append(sampleEvent())
        try collector.start()
        collector.stop()
        #expect(basket.reports.map(\.kind) == [.alert] + Array(repeating: .flow, count: 64))
        #expect(basket.reports[1].concern == nil && !flowWriter.isHalfFull)
        #expect(
            basket.lines[1]
                == #"{"timestamp":"2026-11-23T21:19:42.123456+0000","flow_id":12345,"#
                + #""community_id":"1:EYs8RyRxHdn+EJ9e/94AK9htBwM=","event_type":"flow","src_ip":"198.51.100.9","#
                + #""src_port":40000,"dest_ip":"192.0.2.10","dest_port":445,"proto":"TCP","ip_v":4,"#
                + #""app_proto":"unknown","flow":{"pkts_toserver":5,"pkts_toclient":4,"bytes_toserver":500,"#
                + #""bytes_toclient":400,"start":"2026-11-23T21:18:39.123456+0000","#
                + #""end":"2026-11-23T21:18:42.023456+0000","age":3,"state":"closed","reason":"timeout","#
                + #""alerted":true},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1a","tcp_flags_tc":"03","syn":true,"#
                + #""fin":true,"psh":true,"ack":true,"state":"closed"},"flinch":{"guest":"web"}}"# + "\n")
    }

    @Test func newNames() throws {
        let ring = EventRing(capacity: 64)
        let basket = Basket()
        let collector = try EventCollector(
            rings: [ring], outlets: [basket], names: sampleNames, generation: 1, interval: 2)
        var writer = ring.makeWriter()
        writer.append(sampleEvent { $0.generation = 1 })
        var names = sampleNames
        names.guest = { _ in "renamed" }
        collector.add(names: names, generation: 2)
        try collector.start()
        #expect(eventually { basket.reports.count == 1 })
        writer.append(sampleEvent { $0.generation = 2 })
        writer.append(sampleEvent { $0.generation = 0 })
        collector.stop()
        #expect(basket.lines[0].contains(#""guest":"web""#), "waiting events keep their names")
        #expect(basket.lines[1].contains(#""guest":"renamed""#))
        #expect(basket.lines[2].contains(#""guest":"guest 0""#), "and no event gets another's")
    }
}
