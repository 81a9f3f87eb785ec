import Control
import Foundation
import Glibc
import Lab

/// A million packets of one flood, in each of which a rule finds something: what the worker's thread takes for one,
/// by how much the sensor grows, and what is told of them.
///
/// Some come before anything is measured, first as one burst: what is touched for the first, or for a full batch, and
/// the memory that evidence is kept in, are so then. What a busy machine's queue loses is sent again: what counts is what the worker saw.
func findings(_ stand: Stand) throws -> [Figure: Double] {
    guard let consumer = stand.consumer else { return [:] }
    let (warming, count) = (300_000, 1_000_000)
    func seen() throws -> Int { try stand.status().queues.reduce(0) { $0 + Int($1.packets) } }
    func flood(_ count: Int) throws {
        let start = try seen()
        for _ in 0..<10 {
            let missing = count - (try seen() - start)
            if missing <= 0 { return }
            _ = try stand.generate(size: 60, count: missing, rate: 50_000, seconds: 30, port: 0)
            try stand.settle()
        }
        throw WrongAnswer("\(try seen() - start) of \(count) packets were seen")
    }
    try stand.settle()
    let start = try logSize(stand)
    let first = try seen()
    consumer.send(SIGSTOP)
    _ = try stand.generate(size: 60, count: 2000, rate: 50_000, seconds: 2, port: 0)
    consumer.send(SIGCONT)
    try flood(warming)
    let found = try alerts(stand)
    let memory = try residentMemory(stand) ?? 0
    let before = try workerTime(consumer.pid)
    let packets = try seen()
    try flood(count)
    let measured = Double(try seen() - packets)
    let time = try workerTime(consumer.pid) - before
    let grown = (try residentMemory(stand) ?? 0) - memory
    guard try alerts(stand) - found >= UInt64(count) else {
        throw WrongAnswer("flinchd did not find something in each of \(count) packets to port 0")
    }
    var values = [Figure.findingsCPU: Double(time) / measured, .findingsMemory: max(0, grown)]
    guard let receivers = stand.receivers else { return values }
    let all = try seen() - first
    // What was held back is told of ten seconds later.
    var told: (lines: Int, findings: Int) = (0, 0)
    let isWhole = eventually(within: .seconds(25), every: .milliseconds(500)) {
        told = (try? lines(stand, from: start)) ?? told
        return told.findings == all
    }
    guard isWhole else { throw WrongAnswer("\(told.lines) lines stand for \(told.findings) findings") }
    let words = receivers.printed.split(separator: "\n")
    values[.findingsEvents] = Double(told.lines)
    values[.findingsMails] = Double(words.count { $0 == "mail" })
    values[.findingsTraps] = Double(words.count { $0 == "trap" })
    return values
}

private func alerts(_ stand: Stand) throws -> UInt64 { try stand.status().guests.reduce(0) { $0 + $1.alerts } }

/// Nanoseconds that the scheduler has charged the sensor's worker (proc(5), schedstat).
private func workerTime(_ pid: pid_t) throws -> UInt64 {
    let tasks = "/proc/\(pid)/task"
    for thread in try FileManager.default.contentsOfDirectory(atPath: tasks) {
        let name = try String(contentsOfFile: "\(tasks)/\(thread)/comm", encoding: .utf8)
        guard name.hasPrefix("worker") else { continue }
        let text = try String(contentsOfFile: "\(tasks)/\(thread)/schedstat", encoding: .utf8)
        if let time = text.split(separator: " ").first.flatMap({ UInt64($0) }) { return time }
    }
    throw LabError("flinchd has no thread that is called worker, or the kernel counts none of its time")
}

private func logSize(_ stand: Stand) throws -> Int {
    let path = stand.lab.file("eve.json")
    guard FileManager.default.fileExists(atPath: path) else { return 0 }
    return try Data(contentsOf: URL(fileURLWithPath: path)).count
}

/// Lines of the log about the flood's packets, and the findings that they stand for.
private func lines(_ stand: Stand, from start: Int) throws -> (lines: Int, findings: Int) {
    struct Line: Decodable {
        struct Alert: Decodable { var signature: String }
        struct Flinch: Decodable { var count: Int? }
        var alert: Alert?
        var flinch: Flinch?
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: stand.lab.file("eve.json"))).dropFirst(start)
    var told = (lines: 0, findings: 0)
    for text in data.split(separator: 10) {
        guard let line = try? JSONDecoder().decode(Line.self, from: text),
            line.alert?.signature == BenchConfiguration.message
        else { continue }
        told.lines += 1
        told.findings += line.flinch?.count ?? 1
    }
    return told
}
