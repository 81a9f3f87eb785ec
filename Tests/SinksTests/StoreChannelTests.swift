import Events
import Foundation
import Store
import Testing

@testable import Sinks

struct StoreChannelTests {
    @Test func timesAreRead() throws {
        let notice = try #require(Notice(line: line(eveLine(7))))
        #expect(Notice.microseconds(notice.time) == 1_795_687_200_100_007)
        for time in [
            "", "2026-11-26", "2026-11-26T10:00:00.100007+0100", "yesterday", "0001-01-01T00:00:00.000000+0000",
        ] { #expect(Notice.microseconds(time) == nil, "\(time)") }
    }

    /// A line that stands for many findings counts for as many.
    @Test func aLineForMany() throws {
        try withFolder { folder in
            let path = folder + "/s.sqlite"
            let sink = try Sink.sample(StoreChannel(StoreSettings(path: path)))
            let many = eveLine(1).replacing(
                "\"shadow\":false}",
                with:
                    #""shadow":false,"first":"2026-11-26T10:00:01.000000+0000","last":"2026-11-26T10:00:09.000000+0000","count":41}"#
            )
            #expect(Notice(line: line(many))?.sentence.hasSuffix("; 41 times") == true)
            sink.offer([report(eveLine(0)), report(many)])
            sink.end()
            let incidents = try StoreReader(path: path).incidents(.init())
            #expect(incidents.map(\.count) == [42] && incidents.first?.parts.map(\.count) == [42])
            #expect(incidents.first?.last == 1_795_687_209_000_000)
            #expect(incidents.first?.parts.first?.last == 1_795_687_209_000_000)
        }
    }

    @Test func linesBecomeIncidentsAndRates() throws {
        try withFolder { folder in
            let path = folder + "/s.sqlite"
            let sink = try Sink.sample(StoreChannel(StoreSettings(path: path)))
            let stats = """
                {"timestamp":"2026-11-26T10:00:01.000000+0000","event_type":"stats","stats":{"uptime":4},"flinch":{"guests":\
                [{"name":"web","packets_in":5,"bits_in":4000,"packets_out":3,"bits_out":2400}]}}
                """
            sink.offer(
                (0..<100).map { report(eveLine($0, message: "SMB probe", concern: "medium")) }
                    + [report(stats, .stats, nil), report(eveLine(100, sid: 2, message: "exploit"))])
            sink.offer([report("no event at all")])
            sink.end()
            #expect(sink.health.delivered == 102 && sink.health.dropped == 1)
            let reader = try StoreReader(path: path)
            let incidents = try reader.incidents(.init())
            try #require(incidents.count == 1, "one line for what happened")
            #expect(incidents[0].parts.map(\.title) == ["SMB probe", "exploit"])
            #expect(incidents[0].parts.map(\.count) == [100, 1])
            #expect(incidents[0].concern == 3 && incidents[0].guests == ["web"])
            #expect(incidents[0].actor == "198.51.100.9")
            #expect(
                try reader.rates(guest: "web", since: 0)
                    == [
                        StoredRate(
                            time: 1_795_687_201, guest: "web", packetsIn: 5, bitsIn: 4000, packetsOut: 3, bitsOut: 2400)
                    ])
            #expect(
                try reader.events(after: 0, .init()).lines.first
                    == eveLine(0, message: "SMB probe", concern: "medium"))
        }
    }

    /// Its folder appears later: nothing that fits the queue is lost meanwhile.
    @Test func aStoreThatCannotBeOpenedYet() throws {
        try withFolder { folder in
            let sink = try Sink.sample(StoreChannel(StoreSettings(path: folder + "/later/s.sqlite")))
            sink.offer([report(eveLine(0))])
            #expect(eventually { sink.health.failures > 1 })
            try FileManager.default.createDirectory(atPath: folder + "/later", withIntermediateDirectories: false)
            #expect(eventually { sink.health.delivered == 1 })
            sink.end()
        }
    }
}
