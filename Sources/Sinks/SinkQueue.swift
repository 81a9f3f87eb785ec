import Events
import Synchronization

/// Lines that wait for a sink's thread, bounded in number and in bytes. What finds it full is dropped and
/// counted: the oldest stay, because they are next. Flows get half of the room: whoever makes many of them is not
/// to hide what is found.
final class SinkQueue: Sendable {
    private struct State: ~Copyable {
        var lines: [[UInt8]] = []
        /// Lines before this index are gone.
        var head = 0
        var bytes = 0
        var dropped: UInt64 = 0
        var isClosed = false

        var count: Int { lines.count - head }
    }

    private let state = Mutex(State())
    private let lineLimit: Int
    private let byteLimit: Int

    init(lines: Int, bytes: Int) {
        lineLimit = lines
        byteLimit = bytes
    }

    /// Takes those reports that `isWanted`. True when it was empty before and now is not.
    func append(_ reports: [Report], where isWanted: (Report) -> Bool) -> Bool {
        state.withLock { state in
            let wasEmpty = state.count == 0
            for report in reports where isWanted(report) {
                let share = report.kind == .flow ? 2 : 1
                guard !state.isClosed, state.count < lineLimit / share,
                    state.bytes + report.line.count <= byteLimit / share
                else {
                    state.dropped += 1
                    continue
                }
                state.lines.append(report.line)
                state.bytes += report.line.count
            }
            return wasEmpty && state.count > 0
        }
    }

    /// The oldest lines, at most `limit`, which stay.
    func first(_ limit: Int) -> [[UInt8]] {
        state.withLock { state in Array(state.lines[state.head...].prefix(limit)) }
    }

    func removeFirst(_ count: Int) {
        state.withLock { state in
            // Fewer, once it was closed.
            let count = min(count, state.count)
            for index in state.head..<state.head + count {
                state.bytes -= state.lines[index].count
                state.lines[index] = []
            }
            state.head += count
            // Moved to the front when half is gone: each line is moved once on average.
            guard state.head * 2 >= state.lines.count else { return }
            state.lines.removeFirst(state.head)
            state.head = 0
        }
    }

    /// What waits is dropped and counted, and what comes from now on.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.dropped += UInt64(state.count)
            state.lines = []
            state.head = 0
            state.bytes = 0
        }
    }

    /// What it holds now: lines and their bytes, and places for lines, those of lines that are gone included.
    struct Holding {
        var lines: Int
        var bytes: Int
        var places: Int
    }

    var holding: Holding {
        state.withLock { Holding(lines: $0.count, bytes: $0.bytes, places: $0.lines.capacity) }
    }

    var count: Int { state.withLock { $0.count } }
    var dropped: UInt64 { state.withLock { $0.dropped } }
}
