import Events
import Evidence
import Foundation
import Synchronization
import Testing

@testable import Sinks

/// A folder that is gone after the test.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/flinch-sinks-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
        guard let start = buffer.baseAddress, let path = unsafe mkdtemp(start) else { return nil }
        return unsafe String(cString: path)
    }
    let folder = try #require(made)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

func line(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

func contents(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

func report(_ text: String, _ kind: Report.Kind = .alert, _ concern: Concern? = .high) -> Report {
    Report(kind: kind, concern: concern, line: line(text))
}

func reports(_ numbers: Range<Int>) -> [Report] { numbers.map { report("line \($0)") } }

func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end {
        if try condition() { return true }
        usleep(10_000)
    }
    return try condition()
}

/// A receiver that does what the test says.
final class Receiver: Channel, @unchecked Sendable {
    enum Mood: Equatable {
        case well
        /// Takes so many lines of a batch, then fails.
        case failing(after: Int)
        /// Takes all, and throws each away.
        case refusing
        case hanging
    }

    let batchLimit: Int
    private let state = Mutex((mood: Mood.well, lines: [String](), calls: 0))

    init(batchLimit: Int = 10, _ mood: Mood = .well) {
        self.batchLimit = batchLimit
        self.mood = mood
    }

    var mood: Mood {
        get { state.withLock { $0.mood } }
        set { state.withLock { $0.mood = newValue } }
    }
    var lines: [String] { state.withLock { $0.lines } }
    var calls: Int { state.withLock { $0.calls } }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        while mood == .hanging && !patience.isOver { usleep(1000) }
        let mood = mood
        let texts = lines.map { String(decoding: $0.dropLast(), as: UTF8.self) }
        return state.withLock { state in
            state.calls += 1
            switch mood {
            case .well:
                state.lines += texts
                return Delivery(taken: texts.count)
            case .failing(let number):
                state.lines += texts.prefix(number)
                return .failed("out of order", after: min(number, texts.count))
            case .refusing: return Delivery(taken: texts.count, refused: texts.count, problem: "not wanted")
            case .hanging: return .failed("no answer")
            }
        }
    }
}

extension Sink {
    /// One for tests: small, and soon ready to try again.
    static func sample(
        _ channel: any Channel, filter: Filter = Filter(), queueLines: Int = 1000, queueBytes: Int = 1 << 20,
        spool: Spool? = nil
    ) throws -> Sink {
        let sink = Sink(
            name: "sample", channelName: "sample", filter: filter, queueLines: queueLines, queueBytes: queueBytes,
            channel: channel, spool: spool, backoff: Backoff(first: 1_000_000, most: 20_000_000))
        try sink.start()
        return sink
    }

    func end(within seconds: Double = 2) {
        finish(by: DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9))
        join()
    }
}
