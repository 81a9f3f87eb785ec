import CAllocations
import Control
import Foundation
import Lab

/// Heap allocations a packet of the real sensor's worker, from receive to verdict and event: 100,000 packets
/// in which there is nothing to find, and 100,000 to port 0, each of which matches a rule.
///
/// The sensor runs with libCAllocations.so preloaded, and is measured at nothing else.
func sensorAllocations(_ stand: Stand) throws -> [Figure: Double] {
    guard let consumer = stand.consumer else { return [:] }
    let count = 100_000
    try stand.settle()
    let arrivedBefore = try stand.arrived()
    let alertsBefore = try stand.status().guests.reduce(0) { $0 + $1.alerts }
    let before = try workerAllocations(stand, consumer.pid)
    for port in [Stand.port, 0] {
        _ = try stand.generate(size: 60, count: count, rate: 50_000, seconds: 10, port: port)
        try stand.settle()
    }
    let after = try workerAllocations(stand, consumer.pid)
    let arrived = try stand.arrived() - arrivedBefore
    guard arrived > count else { throw WrongAnswer("only \(arrived) of \(2 * count) packets arrived") }
    guard try stand.status().guests.reduce(0, { $0 + $1.alerts }) > alertsBefore else {
        throw WrongAnswer("flinchd found nothing in packets to port 0")
    }
    return [.allocations: Double(after - before) / Double(arrived)]
}

/// Of the threads that are called worker.
private func workerAllocations(_ stand: Stand, _ pid: pid_t) throws -> UInt64 {
    let tasks = "/proc/\(pid)/task"
    let workers = try FileManager.default.contentsOfDirectory(atPath: tasks).filter {
        try String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8).hasPrefix("worker")
    }
    guard !workers.isEmpty else { throw LabError("flinchd has no thread that is called worker") }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: stand.allocationsFile)))
    let stride = MemoryLayout<thread_allocations>.stride
    var all: UInt64 = 0
    var ofWorkers: UInt64 = 0
    for line in 0..<min(bytes.count / stride, Int(THREAD_ALLOCATIONS_LINES)) {
        let entry = unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: line * stride, as: thread_allocations.self)
        }
        all += entry.allocations
        if workers.contains("\(entry.thread)") { ofWorkers += entry.allocations }
    }
    // A sensor cannot start without allocating: then nothing was counted. A worker that has no line has
    // never allocated.
    guard all > 100 else { throw WrongAnswer("flinchd's allocations were not counted") }
    return ofWorkers
}
