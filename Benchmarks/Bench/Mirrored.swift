import Control
import Foundation
import Glibc
import Lab

/// A listener at the bridge, while 60-byte packets pass it as fast as one core sends them.
///
/// `mirror-cpu` is the generator's processor time a packet and the listener's: the packets' way over the bridge and into
/// the ring is made in the generator's. Without a listener it is the bridge alone. `mirror-worker` is the listener's
/// alone, all its threads. A listener that lost count of one packet is wrong: what was sent is what it read and what the
/// kernel says it dropped.
func mirrored(_ stand: Stand) throws -> [Figure: Double] {
    let before = try stand.consumer.map { try ProcessorTime(of: $0.pid).total } ?? 0
    let sent = try stand.generate(size: 60, flows: 1000, seconds: 5)
    rest(.milliseconds(200))
    guard let consumer = stand.consumer else { return [.mirrorCPU: sent.cpu / Double(sent.sent)] }
    let used = Double(try ProcessorTime(of: consumer.pid).total - before)
    let counted = try listened(stand, consumer)
    guard counted.came == sent.sent, counted.packets + counted.dropped == counted.came else {
        throw WrongAnswer("\(sent.sent) packets were sent, and counted were \(counted)")
    }
    // Who drops has less to do.
    guard counted.dropped < sent.sent / 1000 else { throw WrongAnswer("\(counted.dropped) packets were dropped") }
    return [
        .mirrorCPU: (sent.cpu + used) / Double(sent.sent), .mirrorWorker: used / Double(sent.sent),
        .mirrorDelivered: Double(counted.packets) * 1e9 / sent.nanoseconds,
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
