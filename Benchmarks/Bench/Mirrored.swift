import Control
import Foundation
import Glibc
import Lab

/// A listener at the bridge, while 60-byte packets pass it: processor time a packet at 100,000 a second, and packets a
/// second that it reads while more are sent than it can.
///
/// `mirror-cpu` is the generator's time and the listener's: the packets' way over the bridge and into the ring is made
/// in the generator's. `mirror-worker` is the listener's alone. A listener that lost count of one packet is wrong: what
/// was sent is what it read and what the kernel says it dropped.
func mirrored(_ stand: Stand) throws -> [Figure: Double] {
    guard let consumer = stand.consumer else { return [:] }
    let paced = 500_000
    let before = try ProcessorTime(of: consumer.pid)
    let sent = try stand.generate(size: 60, flows: 1000, count: paced, rate: 100_000, seconds: 8)
    rest(.milliseconds(100))
    let used = Double(try ProcessorTime(of: consumer.pid).total - before.total)
    guard sent.sent == paced else { throw WrongAnswer("\(sent.sent) of \(paced) packets were sent in time") }
    let early = try stand.contender == .mirror ? stand.status().mirrors.first : nil
    let flood = try stand.generate(size: 60, flows: 1000, seconds: 2)
    rest(.milliseconds(200))
    let counted = try listened(stand, consumer)
    guard counted.came == sent.sent + flood.sent, counted.packets + counted.dropped == counted.came else {
        throw WrongAnswer("\(sent.sent + flood.sent) packets were sent, and counted were \(counted)")
    }
    if let early, early.dropped > 0 { throw WrongAnswer("\(early.dropped) packets were dropped at 100,000 a second") }
    return [
        .mirrorCPU: (sent.cpu + used) / Double(paced), .mirrorWorker: used / Double(paced),
        .mirrorCapacity: Double(counted.packets - paced) * 1e9 / flood.nanoseconds,
    ]
}

private struct Listened: Decodable {
    var packets: Int
    var came: Int
    var dropped: Int
}

/// What the sensor says; the C loop says it at its end.
private func listened(_ stand: Stand, _ consumer: Program) throws -> Listened {
    guard stand.contender == .mirror else {
        consumer.send(SIGTERM)
        guard consumer.wait(atMost: .seconds(5)) == .exited(0) else { throw LabError(consumer.complained) }
        let last = consumer.printed.split(separator: "\n").last.map(String.init) ?? ""
        return try JSONDecoder().decode(Listened.self, from: Data(last.utf8))
    }
    guard let row = try stand.status().mirrors.first else { throw LabError("the sensor listens to nothing") }
    let seen = try stand.status().guests.first { $0.name == stand.receiver.name }?.received["udp"] ?? 0
    guard seen == row.packets else {
        throw WrongAnswer("\(row.packets) packets were read, but \(seen) counted to the guest")
    }
    return Listened(packets: Int(row.packets), came: Int(row.came), dropped: Int(row.dropped))
}
