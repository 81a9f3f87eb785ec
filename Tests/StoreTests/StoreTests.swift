import Foundation
import GRDB
import Lab
import Testing

@testable import Store

private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = "/tmp/flinch-store-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

private let start: Int64 = 1_795_000_000_000_000
private let second: Int64 = 1_000_000

private func event(
    _ title: String, at seconds: Int64, from source: String = "198.51.100.9", to destination: String = "192.0.2.10",
    guest: String = "web", concern: Int = 2, flood: String? = nil, ends: Bool = false, kind: String = "alert"
) -> StoredEvent {
    StoredEvent(
        time: start + seconds * second, kind: kind, concern: concern, group: title, title: title, guest: guest,
        source: flood == nil ? source : "", destination: destination, verdict: "accept", flood: flood,
        isFloodEnd: ends, line: "{\"title\":\"\(title)\"}")
}

private let now = Date(timeIntervalSince1970: Double(start) / 1e6 + 60)

struct IncidentTests {
    private func incidents(_ batches: [[StoredEvent]]) throws -> [Incident] {
        try withFolder { folder in
            let path = folder + "/s.sqlite"
            // A new writer for each batch: what is open goes on over a restart.
            for batch in batches {
                try StoreWriter(path: path, retention: .init()).write(batch, now: now)
            }
            return try StoreReader(path: path).incidents(.init())
        }
    }

    /// A scan of three guests, an exploit of one, and what that one does afterwards.
    @Test func aStoryIsOneIncident() throws {
        let found = try incidents([
            [
                event("scan", at: 0, to: "192.0.2.10", guest: "web", concern: 1),
                event("scan", at: 1, to: "192.0.2.53", guest: "dns", concern: 1),
                event("scan", at: 2, to: "192.0.2.45", guest: "smb", concern: 1),
            ],
            [
                event("exploit", at: 30, to: "192.0.2.45", guest: "smb", concern: 3),
                event("call home", at: 60, from: "192.0.2.45", to: "203.0.113.66", guest: "smb", concern: 3),
                event("scan", at: 70, from: "192.0.2.45", to: "192.0.2.10", guest: "web", concern: 1),
            ],
        ])
        try #require(found.count == 1)
        #expect(found[0].actor == "198.51.100.9" && found[0].concern == 3 && found[0].count == 6)
        #expect(found[0].guests == ["web", "dns", "smb"])
        #expect(found[0].parts.map(\.title) == ["scan", "exploit", "call home"])
        #expect(found[0].parts.map(\.count) == [4, 1, 1])
        #expect(found[0].first == start && found[0].last == start + 70 * second)
    }

    /// Forged packets that are not in order, before their flood is known to be one, in it, and told of after it; and
    /// what is none of it: to another host, long before, of another kind, and after its end.
    @Test func whatIsWrongWithAFloodsPacketsIsPartOfIt() throws {
        func form(_ seconds: Int64, _ source: Int, to destination: String = "192.0.2.10") -> StoredEvent {
            event("ttl", at: seconds, from: "203.0.113.\(source)", to: destination, concern: 3, kind: "anomaly")
        }
        let found = try incidents([
            [
                form(0, 1), form(8, 2), form(9, 3), form(9, 4, to: "192.0.2.53"), event("scan", at: 9),
                event("syn flood", at: 10, flood: "syn"), form(11, 5), form(12, 2),
                event("syn flood", at: 20, flood: "syn", ends: true), form(19, 6), form(25, 7),
            ]
        ])
        #expect(found.map(\.count).sorted() == [1, 1, 1, 1, 7])
        let flood = try #require(found.first { $0.count == 7 })
        #expect(flood.parts.map(\.title) == ["ttl", "syn flood"] && flood.parts.map(\.count) == [5, 2])
        #expect(flood.actor.isEmpty && flood.concern == 3 && flood.first == start + 8 * second)
        #expect(Set(found.map(\.actor)) == ["", "203.0.113.1", "203.0.113.4", "198.51.100.9", "203.0.113.7"])
    }

    /// Whatever had to go for want of room, what was gathered of a flood's packets can still come after its end.
    @Test func theEndOfAFloodOutlivesPruning() throws {
        try withFolder { folder in
            let writer = try StoreWriter(path: folder + "/s.sqlite", retention: .init(days: 30, bytes: 1))
            try writer.write(
                [event("syn flood", at: 0, flood: "syn"), event("syn flood", at: 10, flood: "syn", ends: true)],
                now: now)
            try writer.write([event("ttl", at: 9, kind: "anomaly")], now: now)
            let found = try StoreReader(path: folder + "/s.sqlite").incidents(.init())
            #expect(found.map { $0.parts.map(\.title) } == [["syn flood", "ttl"]])
        }
    }

    /// Two at once: the form of packets is put down to one that goes on.
    @Test func oneFloodEndsAndAnotherGoesOn() throws {
        let found = try incidents([
            [
                event("udp flood", at: 0, flood: "udp"), event("syn flood", at: 1, flood: "syn"),
                event("syn flood", at: 5, flood: "syn", ends: true),
                event("ttl", at: 6, from: "203.0.113.2", kind: "anomaly"),
            ]
        ])
        #expect(found.map { $0.parts.map(\.title) }.contains(["udp flood", "ttl"]) && found.count == 2)
    }

    @Test func strangersAreApart() throws {
        let found = try incidents([
            [
                event("scan", at: 0, from: "198.51.100.1"), event("scan", at: 1, from: "198.51.100.2"),
                event("scan", at: 2, from: "198.51.100.1"),
            ]
        ])
        #expect(found.map(\.actor).sorted() == ["198.51.100.1", "198.51.100.2"])
        #expect(found.map(\.count).sorted() == [1, 2])
    }

    @Test func afterSilenceItIsAnother() throws {
        let quiet = OpenIncidents.silence / second
        #expect(try incidents([[event("scan", at: 0), event("scan", at: quiet - 1)]]).count == 1)
        #expect(try incidents([[event("scan", at: 0), event("scan", at: quiet + 1)]]).count == 2)
        #expect(try incidents([[event("scan", at: 0)], [event("scan", at: quiet + 1)]]).count == 2)
    }

    @Test func aFloodIsOneUntilItEnds() throws {
        let found = try incidents([
            [
                event("syn flood", at: 0, flood: "syn"), event("udp flood", at: 1, flood: "udp"),
                event("exploit", at: 2), event("syn flood ended", at: 4000, flood: "syn", ends: true),
                event("syn flood", at: 4001, flood: "syn"),
            ]
        ])
        #expect(found.map(\.count).sorted() == [1, 1, 1, 2])
        #expect(found.first { $0.count == 2 }?.parts.map(\.title) == ["syn flood", "syn flood ended"])
        #expect(found.filter { $0.actor.isEmpty }.count == 3, "whose sources are nobody's")
    }

    /// As many sources as they like to claim: memory is bounded, and so is what the operator sees.
    @Test func forgedSourcesAreBounded() throws {
        let events = (0..<10_000).map { number in
            event("odd", at: 0, from: "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)")
        }
        try withFolder { folder in
            let path = folder + "/s.sqlite"
            try StoreWriter(path: path, retention: .init()).write(events, now: now)
            var question = StoreReader.Question()
            question.limit = 20_000
            let found = try StoreReader(path: path).incidents(question)
            #expect(found.count == OpenIncidents.limit + 1)
            #expect(found.reduce(0) { $0 + $1.count } == 10_000)
            #expect(found.contains { $0.actor == "many" && $0.count == 10_000 - OpenIncidents.limit })
        }
    }
}

struct StoreTests {
    @Test func questions() throws {
        try withFolder { folder in
            let path = folder + "/s.sqlite"
            let writer = try StoreWriter(path: path, retention: .init())
            try writer.write(
                [
                    event("a", at: 0, from: "198.51.100.1", concern: 1),
                    event("b", at: 100, from: "198.51.100.2", to: "192.0.2.53", guest: "dns", concern: 3),
                ],
                rates: [
                    StoredRate(time: start / second, guest: "web", packetsIn: 1, bitsIn: 2, packetsOut: 3, bitsOut: 4),
                    StoredRate(time: start / second, guest: "dns", packetsIn: 1, bitsIn: 2, packetsOut: 3, bitsOut: 4),
                ], now: Date(timeIntervalSince1970: 0))
            let reader = try StoreReader(path: path)
            func titles(_ change: (inout StoreReader.Question) -> Void) throws -> [String] {
                var question = StoreReader.Question()
                change(&question)
                return try reader.incidents(question).flatMap(\.parts).map(\.title)
            }
            #expect(try titles { _ in } == ["a", "b"], "oldest first")
            #expect(try titles { $0.guest = "dns" } == ["b"])
            #expect(try titles { $0.concern = 2 } == ["b"])
            #expect(try titles { $0.since = start + 1 } == ["b"])
            #expect(try titles { $0.guest = "x' OR 1=1 --" } == [])
            let (lines, last) = try reader.events(after: 0, .init())
            #expect(lines == [#"{"title":"a"}"#, #"{"title":"b"}"#] && last == 2)
            try writer.write([event("c", at: 101)], now: now)
            #expect(try reader.events(after: last, .init()).lines == [#"{"title":"c"}"#], "while it is written")
            #expect(try reader.rates(guest: "web", since: 0).count == 1)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect((mode ?? 0o777) & 0o077 == 0)
        }
    }

    @Test func whatIsTooOldGoes() throws {
        try withFolder { folder in
            let path = folder + "/s.sqlite"
            let writer = try StoreWriter(path: path, retention: .init(days: 2, bytes: 1 << 30))
            try writer.write(
                [event("old", at: -3 * 86_400), event("new", at: 0)],
                rates: [
                    StoredRate(
                        time: start / second - 3 * 86_400, guest: "web", packetsIn: 1, bitsIn: 1, packetsOut: 1,
                        bitsOut: 1)
                ], now: Date(timeIntervalSince1970: 0))
            let reader = try StoreReader(path: path)
            #expect(try reader.incidents(.init()).count == 2)
            try writer.prune(now)
            // The first look closes what is silent, the second takes it away.
            try writer.prune(now)
            #expect(try reader.incidents(.init()).flatMap(\.parts).map(\.title) == ["new"])
            #expect(try reader.events(after: 0, .init()).lines.count == 1)
            #expect(try reader.rates(guest: "web", since: 0).isEmpty)
        }
    }

    @Test func whatIsTooMuchGoesOldestFirst() throws {
        try withFolder { folder in
            let path = folder + "/s.sqlite"
            let writer = try StoreWriter(path: path, retention: .init(days: 30, bytes: 2 << 20))
            for batch in 0..<20 {
                let events = (0..<500).map { number -> StoredEvent in
                    var event = event("e", at: Int64(batch * 500 + number))
                    event.line = "{\"n\":\(batch * 500 + number),\"x\":\"\(String(repeating: "x", count: 400))\"}"
                    return event
                }
                try writer.write(events, now: Date(timeIntervalSince1970: Double(start) / 1e6 + Double(batch * 100)))
            }
            #expect(try writer.bytesInUse() <= 3 << 20)
            try writer.prune(now)
            #expect(try writer.bytesInUse() <= 2 << 20)
            var question = StoreReader.Question()
            question.limit = 100_000
            let lines = try StoreReader(path: path).events(after: 0, question).lines
            let numbers = lines.compactMap { Int($0.dropFirst(5).prefix { $0.isNumber }) }
            #expect(numbers == Array(10_000 - numbers.count..<10_000), "the newest are kept")
            #expect(numbers.count > 1000)
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            #expect(size <= 3 << 20, "the file shrinks as well")
        }
    }

    /// Runs this very test program again, as a sensor that is killed in the middle of writing.
    @Test func killedAtAnyTimeItIsWhole() throws {
        try withFolder { folder in
            for round in 0..<3 {
                let victim = try Program.start(
                    [
                        CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter",
                        "StoreVictim/writesUntilItIsKilled",
                    ], environment: ["FLINCH_STORE_VICTIM": folder])
                let written = folder + "/written"
                func confirmed() -> Int {
                    let text = (try? String(contentsOfFile: written, encoding: .utf8)) ?? ""
                    return text.split(separator: "\n").compactMap { Int($0) }.max() ?? 0
                }
                let before = confirmed()
                let isRunning = eventually(within: .seconds(20)) { confirmed() > before + 50 }
                try #require(isRunning, "\(victim.printed)\(victim.complained)")
                usleep(UInt32(50_000 * round))
                victim.send(SIGKILL)
                #expect(victim.wait(atMost: .seconds(5)) == .killed(signal: SIGKILL))
                let last = confirmed()
                let database = try DatabaseQueue(path: folder + "/s.sqlite")
                try database.read { database in
                    #expect(try String.fetchOne(database, sql: "PRAGMA integrity_check") == "ok")
                    #expect(
                        try Int.fetchOne(database, sql: "SELECT count(*) FROM event") ?? 0 >= last,
                        "all that was written")
                    let counts = try Row.fetchOne(
                        database, sql: "SELECT (SELECT sum(count) FROM incident), (SELECT count(*) FROM event)")
                    #expect(counts?[0] as Int? == counts?[1] as Int?, "events and incidents belong together")
                }
            }
        }
    }
}

/// What `killedAtAnyTimeItIsWhole` starts and kills.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["FLINCH_STORE_VICTIM"] != nil))
struct StoreVictim {
    @Test func writesUntilItIsKilled() throws {
        let folder = try #require(ProcessInfo.processInfo.environment["FLINCH_STORE_VICTIM"])
        let written = unsafe open(folder + "/written", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let writer = try StoreWriter(path: folder + "/s.sqlite", retention: .init())
        var number = try Int(StoreReader(path: folder + "/s.sqlite").lastEvent())
        while number < 1_000_000 {
            number += 1
            try writer.write([event("e\(number % 7)", at: 0, from: "198.51.100.\(number % 200)")], now: now)
            let note = Array("\(number)\n".utf8)
            unsafe _ = write(written, note, note.count)
        }
    }
}
