import Control
import Foundation
import Glibc
import Lab

/// Nanoseconds of processor time a packet that the consumer takes at 100,000 packets a second of 60 bytes:
/// all of its threads, forwarding to the receiver's card included.
///
/// The sum is what the scheduler has charged, to the nanosecond. User and kernel are told apart by the
/// timer tick, as getrusage does it on this kernel: a share of some hundred samples.
func processorTime(_ stand: Stand) throws -> [Figure: Double] {
    guard let consumer = stand.consumer else { return [:] }
    let count = 600_000
    try stand.settle()
    let arrivedBefore = try stand.arrived()
    let before = try ProcessorTime(of: consumer.pid)
    _ = try stand.generate(size: 60, count: count, rate: 100_000, seconds: 12)
    try stand.settle()
    let after = try ProcessorTime(of: consumer.pid)
    let arrived = try stand.arrived() - arrivedBefore
    guard arrived == count else { throw WrongAnswer("\(arrived) of \(count) packets arrived") }

    let nanoseconds = Double(after.total - before.total) / Double(count)
    let user = Double(after.userTicks - before.userTicks)
    let kernel = Double(after.kernelTicks - before.kernelTicks)
    let share = user + kernel > 0 ? user / (user + kernel) : 0
    return [.cpu: nanoseconds, .cpuUser: nanoseconds * share, .cpuKernel: nanoseconds * (1 - share)]
}

/// Processor time of all threads of a process, those that have ended included.
struct ProcessorTime {
    /// Nanoseconds.
    var total: UInt64
    /// Hundredths of a second.
    var userTicks: Int
    var kernelTicks: Int

    init(of pid: pid_t) throws {
        var clock = clockid_t()
        var time = timespec()
        guard unsafe clock_getcpuclockid(pid, &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else {
            throw LabError("the consumer is gone")
        }
        total = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        // proc(5): the name in parentheses may contain anything; utime is the 12th field behind it.
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let kernel = Int(fields[13]) else {
            throw LabError("/proc/\(pid)/stat is not as expected")
        }
        userTicks = user
        kernelTicks = kernel
    }
}

/// Packets a second that arrive while the generator sends as fast as its core can.
func delivered(_ stand: Stand, flows: Int) throws -> Double {
    try stand.settle()
    let arrivedBefore = try stand.arrived()
    let before = stand.contender.hasQueue ? try stand.queue() : nil
    let sent = try stand.generate(size: 60, flows: flows, seconds: 2)
    try stand.settle()
    let arrived = try stand.arrived() - arrivedBefore
    guard arrived > 0 else { throw WrongAnswer("none of \(sent.sent) packets arrived") }
    if let before {
        // What arrived must be what was inspected: neither passed around the queue nor dropped by a verdict.
        let after = try stand.queue()
        let inspected = after.queued - before.queued - (after.undelivered - before.undelivered)
        guard arrived == inspected else {
            throw WrongAnswer("\(arrived) packets arrived, but \(inspected) went through the queue")
        }
    }
    if stand.contender == .flinch { try checkWhatFlinchSaw(stand, arrived: arrived) }
    return Double(arrived) * 1e9 / sent.nanoseconds
}

/// A sensor that forwards without looking would be fast: it must have counted every packet to the guest, and
/// seen that this is a flood.
private func checkWhatFlinchSaw(_ stand: Stand, arrived: Int) throws {
    let status = try stand.status()
    let counted = status.guests.first { $0.name == stand.receiver.name }?.received["udp"] ?? 0
    guard counted == UInt64(arrived) else {
        throw WrongAnswer("\(arrived) packets arrived, but flinchd counted \(counted) to the guest")
    }
    guard status.floods.contains(where: { $0.floodClass == "udp" && $0.guest == stand.receiver.name }) else {
        throw WrongAnswer("flinchd did not see the flood")
    }
}

/// MiB of the consumer in memory; nil where there is none.
func residentMemory(_ stand: Stand) throws -> Double? {
    guard let consumer = stand.consumer else { return nil }
    let text = try String(contentsOfFile: "/proc/\(consumer.pid)/statm", encoding: .utf8)
    guard let pages = text.split(separator: " ").dropFirst().first.flatMap({ Double($0) }) else {
        throw LabError("the consumer is gone")
    }
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
}
