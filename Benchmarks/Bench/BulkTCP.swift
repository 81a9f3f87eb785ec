import Foundation
import Lab

/// Gb/s of one TCP connection (iperf3), as the receiver counts it. With the sender's segmentation offload
/// the queue gets packets of up to 64 KiB, without it one a segment.
func bulk(_ stand: Stand, offload: Bool) throws -> Double {
    let setting = offload ? "on" : "off"
    try stand.sender.run("ethtool", "-K", "eth0", "tso", setting, "gso", setting)
    defer { _ = try? stand.sender.run("ethtool", "-K", "eth0", "tso", "on", "gso", "on") }
    let server = try stand.receiver.start(
        ["iperf3", "--server", "--one-off", "--forceflush"], limit: .seconds(15))
    defer { server.stop() }
    guard server.waitUntilItSays("listening", atMost: .seconds(3)) else {
        throw LabError("\(server.title): \(server.complained)")
    }
    let before = stand.contender.hasQueue ? try stand.queue().queued : 0
    let text = try stand.run(
        stand.sender,
        ["iperf3", "--client", stand.receiver.ipv4, "--omit", "1", "--time", "3", "--json"], seconds: 10)
    let sum = try JSONDecoder().decode(Report.self, from: Data(text.utf8)).end.sum
    if stand.contender.hasQueue {
        // No packet is larger than 64 KiB; fewer in the queue than the bytes need means that some passed by.
        let queued = try stand.queue().queued - before
        guard Double(queued) >= sum.bytes / 65536 else {
            throw WrongAnswer("\(sum.bytes.short) bytes arrived in only \(queued) queued packets")
        }
    }
    return sum.bitRate / 1e9
}

/// The part of iperf3's report that is read.
private struct Report: Decodable {
    struct End: Decodable {
        var sum: Sum
        enum CodingKeys: String, CodingKey { case sum = "sum_received" }
    }

    struct Sum: Decodable {
        var bytes: Double
        var bitRate: Double
        enum CodingKeys: String, CodingKey {
            case bytes
            case bitRate = "bits_per_second"
        }
    }

    var end: End
}
