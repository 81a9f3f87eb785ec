import Events
import Foundation
import Testing

@testable import Sinks

struct SinkSetTests {
    private func file(_ name: String, _ path: String) -> SinkSettings {
        SinkSettings(name: name, filter: Sink.Filter(), channel: .eve(EVEFileSettings(path: path)))
    }

    /// To where nobody listens: what it gets stays on disk.
    private func webhook(_ name: String, spool: Int = 1 << 20) -> SinkSettings {
        var settings = SinkSettings(
            name: name, filter: Sink.Filter(), channel: .webhook(WebhookSettings(url: "http://127.0.0.1:9/")))
        settings.spool = spool
        return settings
    }

    @Test func aReloadKeepsWhatIsTheSame() throws {
        try withFolder { folder in
            let (a, b, c) = (file("a", folder + "/a"), file("b", folder + "/b"), file("c", folder + "/c"))
            let set = try SinkSet([a, b], state: folder)
            try set.start()
            set.offer(reports(0..<1))
            #expect(eventually { set.health.allSatisfy { $0.delivered == 1 } })
            try set.adopt([c, a])
            #expect(set.health.map(\.name) == ["c", "a"])
            #expect(set.health.map(\.delivered) == [0, 1], "and its counters go on")
            set.offer(reports(1..<2))
            set.stop(patience: 2_000_000_000)
            #expect(try contents(folder + "/a") == "line 0\nline 1\n")
            #expect(try contents(folder + "/b") == "line 0\n")
            #expect(try contents(folder + "/c") == "line 1\n")
        }
    }

    @Test func whatWaitsOnDiskIsTheNextOnes() throws {
        try withFolder { folder in
            let set = try SinkSet([webhook("hook")], state: folder)
            try set.start()
            set.offer(reports(0..<3))
            #expect(eventually { set.health[0].failures > 0 })
            try set.adopt([webhook("hook", spool: 2 << 20)])
            #expect(set.health[0].queued == 3)
            set.offer(reports(3..<4))
            set.stop(patience: 200_000_000)
            #expect(set.health[0].queued == 4 && set.health[0].dropped == 0)
        }
    }

    @Test func oneThatCannotBeOpenedChangesNothing() throws {
        try withFolder { folder in
            let set = try SinkSet([file("a", folder + "/a")], state: folder)
            try set.start()
            let error = #expect(throws: SinkSet.OpenError.self) {
                try set.adopt([file("b", folder + "/b"), file("bad", folder + "/none/b")])
            }
            #expect(error?.description.hasPrefix("sink bad: cannot open \(folder)/none/b") == true)
            #expect(set.health.map(\.name) == ["a"])
            set.offer(reports(0..<1))
            set.stop(patience: 2_000_000_000)
            #expect(try contents(folder + "/a") == "line 0\n")
        }
    }
}
