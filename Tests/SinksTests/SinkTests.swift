import Events
import Evidence
import Foundation
import Synchronization
import Testing

@testable import Sinks

struct SinkTests {
    private func texts(_ range: Range<Int>) -> [String] { range.map { "line \($0)" } }

    @Test func deliversInOrder() throws {
        let receiver = Receiver()
        let sink = try Sink.sample(receiver)
        for start in stride(from: 0, to: 900, by: 30) { sink.offer(reports(start..<start + 30)) }
        sink.end()
        #expect(receiver.lines == texts(0..<900))
        #expect(sink.health.delivered == 900)
        #expect(sink.health.dropped == 0 && sink.health.queued == 0 && sink.health.lastError == nil)
        #expect(sink.health.state == .stopped)
        sink.offer(reports(0..<3))
        #expect(sink.health.dropped == 3, "what comes afterwards is not forgotten silently")
    }

    @Test func aFailureKeepsWhatWasNotTakenAndTriesAgain() throws {
        let receiver = Receiver(.failing(after: 3))
        let sink = try Sink.sample(receiver)
        sink.offer(reports(0..<100))
        #expect(eventually { sink.health.failures > 2 })
        #expect(sink.health.state == .failing)
        #expect(sink.health.lastError == "out of order")
        receiver.mood = .well
        #expect(eventually { sink.health.delivered == 100 })
        #expect(receiver.lines == texts(0..<100), "each once, in order")
        #expect(sink.health.state == .working)
        #expect(sink.health.lastError != nil, "the last error stays to be seen")
        sink.end()
        #expect(sink.health.dropped == 0)
    }

    @Test func aDeadOneFillsItsQueueAndHoldsUpNobody() throws {
        let dead = Receiver(.hanging)
        let well = Receiver()
        let sinks = [try Sink.sample(dead, queueLines: 50), try Sink.sample(well, queueLines: 100_000)]
        let start = Date()
        for number in 0..<20_000 {
            let report = report("line \(number)")
            for sink in sinks { sink.offer([report]) }
        }
        #expect(Date().timeIntervalSince(start) < 5)
        #expect(eventually { well.lines.count == 20_000 })
        #expect(sinks[0].health.queued == 50)
        #expect(sinks[0].health.dropped == 19_950)
        for sink in sinks { sink.end(within: 0.2) }
        #expect(Date().timeIntervalSince(start) < 10, "a receiver that hangs does not hold up the end")
        #expect(sinks[0].health.dropped + sinks[0].health.delivered == 20_000)
    }

    /// A million findings: what is kept is bounded at every moment, whoever takes them or does not. Only who offers
    /// makes it more, so that after an offer it is at its most. What the process takes is the bench's figure
    /// `findings-memory`.
    @Test func aMillionReportsAreBoundedAtEveryMoment() throws {
        let limited = Limited()
        let lines = (dead: 20_000, limited: 8192)
        let bytes = 4 << 20
        let sinks = [
            try Sink.sample(Receiver(.hanging), queueLines: lines.dead, queueBytes: bytes),
            try Sink.sample(limited, queueLines: lines.limited, queueBytes: bytes),
        ]
        let batch = Array(repeating: report(eveLine(0, message: "the same")), count: 500)
        var most = sinks.map { $0.queue.holding }
        for _ in 0..<2000 {
            for (index, sink) in sinks.enumerated() {
                sink.offer(batch)
                let now = sink.queue.holding
                most[index].lines = max(most[index].lines, now.lines)
                most[index].bytes = max(most[index].bytes, now.bytes)
                most[index].places = max(most[index].places, now.places)
            }
        }
        for (held, limit) in zip(most, [lines.dead, lines.limited]) {
            #expect(held.lines <= limit && held.bytes <= bytes)
            // Those of lines that went are fewer than those that wait, and an array grows to twice its size.
            #expect(held.places <= 4 * limit, "\(held)")
        }
        // The dead one's queue is full by one measure or the other: the bound was reached, not only kept.
        let line = batch[0].line.count
        #expect(most[0].lines == min(lines.dead, bytes / line))
        #expect(sinks[0].health.dropped > 900_000)
        for sink in sinks { sink.end(within: 1) }
        #expect(limited.told == 1, "and one message about them")
        for sink in sinks {
            let health = sink.health
            #expect(health.delivered + health.dropped == 1_000_000)
        }
    }

    /// One that forgets its patience, as a resolver does: the end comes while it is still inside.
    @Test func aThreadThatCannotBeInterruptedIsLeft() throws {
        let receiver = Stubborn()
        let sink = try Sink.sample(receiver)
        sink.offer(reports(0..<5))
        #expect(eventually { receiver.isCalled })
        sink.end(within: 0.1)
        #expect(!receiver.hasReturned)
        #expect(sink.health.dropped == 5)
        receiver.letGo()
        #expect(eventually { receiver.hasReturned })
        // What it says then counts for nothing any more.
        usleep(100_000)
        #expect(sink.health.queued == 0)
    }

    @Test func theQueueIsBoundedInBytes() throws {
        let receiver = Receiver(.hanging)
        let sink = try Sink.sample(receiver, queueBytes: 5000)
        for _ in 0..<100 { sink.offer([report(String(repeating: "x", count: 999))]) }
        #expect(sink.health.queued == 5)
        #expect(sink.health.dropped == 95)
        receiver.mood = .well
        sink.end()
        #expect(sink.health.delivered == 5)
    }

    /// Whoever makes many conversations is not to hide what is found.
    @Test func flowsLeaveRoomForTheRest() throws {
        let receiver = Receiver(.hanging)
        let sink = try Sink.sample(receiver, queueLines: 100)
        for number in 0..<500 { sink.offer([report("flow \(number)", .flow, nil)]) }
        #expect(sink.health.queued == 50)
        sink.offer(reports(0..<60))
        #expect(sink.health.queued == 100)
        #expect(sink.health.dropped == 460)
        receiver.mood = .well
        sink.end()
        #expect(receiver.lines.suffix(50) == texts(0..<50)[...])
    }

    @Test func refusedLinesAreCountedAndNotTriedAgain() throws {
        let receiver = Receiver(.refusing)
        let sink = try Sink.sample(receiver)
        sink.offer(reports(0..<25))
        #expect(eventually { sink.health.dropped == 25 })
        #expect(receiver.calls <= 25)
        #expect(sink.health.lastError == "not wanted")
        receiver.mood = .well
        sink.offer(reports(25..<30))
        sink.end()
        #expect(receiver.lines == texts(25..<30))
    }

    @Test func filters() throws {
        let receiver = Receiver()
        let sink = try Sink.sample(
            receiver, filter: Sink.Filter(kinds: [.alert, .stats], concern: .medium))
        sink.offer([
            report("a", .alert, .low), report("b", .alert, .medium), report("c", .alert, .high),
            report("d", .anomaly, .high), report("e", .stats, nil), report("f", .flow, nil),
        ])
        sink.end()
        #expect(receiver.lines == ["b", "c", "e"])
        #expect(sink.health.dropped == 0, "what is not wanted is not lost")
    }

    @Test func aDurableSinkDeliversAfterItsEnd() throws {
        try withFolder { folder in
            let dead = Receiver(.failing(after: 0))
            let first = try Sink.sample(dead, spool: try Spool(folder: folder + "/s", limit: 1 << 20))
            first.offer(reports(0..<500))
            first.end()
            #expect(first.health.dropped == 0)
            #expect(first.health.queued == 500)

            let well = Receiver()
            let second = try Sink.sample(well, spool: try Spool(folder: folder + "/s", limit: 1 << 20))
            second.offer(reports(500..<600))
            #expect(eventually { second.health.delivered == 600 })
            second.end()
            #expect(well.lines == texts(0..<600))
            #expect(try Spool(folder: folder + "/s", limit: 1 << 20).isEmpty)
        }
    }

    @Test func aFullSpoolIsCounted() throws {
        try withFolder { folder in
            let receiver = Receiver(.failing(after: 0))
            let sink = try Sink.sample(receiver, spool: try Spool(folder: folder + "/s", limit: 2000))
            for _ in 0..<10 { sink.offer([report(String(repeating: "x", count: 499))]) }
            #expect(eventually { sink.health.dropped == 6 })
            #expect(sink.health.queued == 4)
            receiver.mood = .well
            sink.end()
            #expect(sink.health.delivered == 4 && sink.health.dropped == 6)
        }
    }

    /// Where the disk fails, what waits goes out from memory.
    @Test func aSpoolThatCannotBeWrittenStopsNothing() throws {
        try withFolder { folder in
            let spool = try Spool(folder: folder + "/s", limit: 1 << 20)
            try FileManager.default.removeItem(atPath: folder + "/s")
            let receiver = Receiver()
            let sink = try Sink.sample(receiver, spool: spool)
            sink.offer(reports(0..<20))
            #expect(eventually { receiver.lines == texts(0..<20) })
            #expect(sink.health.lastError?.contains("No such file") == true)
            sink.end()
        }
    }
}

struct SpoolTests {
    private func take(_ spool: Spool, _ count: Int) -> [String] {
        let lines = spool.first(count)
        spool.removeFirst(lines.count)
        return lines.map { String(decoding: $0.dropLast(), as: UTF8.self) }
    }

    private func takeAll(_ spool: Spool) -> [String] {
        var all: [String] = []
        while !spool.isEmpty { all += take(spool, 7) }
        return all
    }

    @Test func firstInFirstOutOverManyFilesAndRuns() throws {
        try withFolder { folder in
            // 100 KiB a line: a file holds ten, so that they turn over often.
            let padding = String(repeating: "x", count: 100_000)
            var written = 0
            var read = 0
            for run in 0..<6 {
                let spool = try Spool(folder: folder, limit: 64 << 20)
                #expect(spool.count == written - read)
                for _ in 0..<25 {
                    #expect(try spool.append([line("\(written) \(padding)")]) == 1)
                    written += 1
                }
                for text in take(spool, 2) + (0..<run * 3).flatMap({ _ in take(spool, 2) }) {
                    #expect(text.hasPrefix("\(read) "))
                    read += 1
                }
            }
            let spool = try Spool(folder: folder, limit: 64 << 20)
            #expect(takeAll(spool).map { Int($0.prefix { $0 != " " }) } == Array(read..<written))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left == ["position"])
        }
    }

    @Test func whatACrashLeftOfALineIsCutAway() throws {
        try withFolder { folder in
            do {
                let spool = try Spool(folder: folder, limit: 1 << 20)
                _ = try spool.append([line("one"), line("two")])
            }
            let file = folder + "/000000000001.jsonl"
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("thr".utf8))
            try handle.close()
            let spool = try Spool(folder: folder, limit: 1 << 20)
            #expect(spool.count == 2)
            _ = try spool.append([line("four")])
            #expect(takeAll(spool) == ["one", "two", "four"])
        }
    }

    /// A reader of old files would believe them if a number came twice.
    @Test func numbersAreNotUsedAgain() throws {
        try withFolder { folder in
            for round in 0..<3 {
                let spool = try Spool(folder: folder, limit: 1 << 20)
                _ = try spool.append([line("round \(round)")])
                #expect(takeAll(spool) == ["round \(round)"])
            }
            let spool = try Spool(folder: folder, limit: 1 << 20)
            _ = try spool.append([line("last")])
            #expect(FileManager.default.fileExists(atPath: folder + "/000000000004.jsonl"))
        }
    }

    @Test func filesOthersTookAway() throws {
        try withFolder { folder in
            let spool = try Spool(folder: folder, limit: 1 << 20)
            _ = try spool.append([line("one")])
            try FileManager.default.removeItem(atPath: folder + "/000000000001.jsonl")
            #expect(spool.first(1).isEmpty && spool.isEmpty)
            _ = try spool.append([line("two")])
            #expect(takeAll(spool) == ["two"])
        }
    }

    @Test func onlyItsOwnerReadsIt() throws {
        try withFolder { folder in
            let spool = try Spool(folder: folder + "/s", limit: 1 << 20)
            _ = try spool.append([line("one")])
            for (path, mode) in [("/s", 0o700), ("/s/000000000001.jsonl", 0o600)] {
                let attributes = try FileManager.default.attributesOfItem(atPath: folder + path)
                #expect(attributes[.posixPermissions] as? Int == mode)
            }
        }
    }
}

/// Tells of one kind so often, as the channels for people do, and counts.
private final class Limited: Channel, @unchecked Sendable {
    let batchLimit = 1000
    private var restraint = Restraint(limit: 1)
    private(set) var told = 0

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        for line in lines where Notice(line: line).map({ restraint.allows($0.group, at: 0) }) ?? false { told += 1 }
        return Delivery(taken: lines.count)
    }
}

/// Stays inside until it is let go, whatever its patience says.
private final class Stubborn: Channel, @unchecked Sendable {
    let batchLimit = 10
    private let state = Mutex((isCalled: false, mayReturn: false, hasReturned: false))

    var isCalled: Bool { state.withLock { $0.isCalled } }
    var hasReturned: Bool { state.withLock { $0.hasReturned } }
    func letGo() { state.withLock { $0.mayReturn = true } }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        state.withLock { $0.isCalled = true }
        while !state.withLock({ $0.mayReturn }) { usleep(5000) }
        state.withLock { $0.hasReturned = true }
        return Delivery(taken: lines.count)
    }
}
