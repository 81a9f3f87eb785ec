import Control
import Foundation
import Glibc
import Lab

/// One start of one contender: a sender, the bridge, a receiver, and what stands in between.
///
/// The sender's programs run on the load core. Its packets are carried to the queue there, since a veth
/// pair works in the context of who sends. The consumer has the other core, and carries what it accepts to
/// the receiver, where a netdev rule drops the measured packets before they cost more.
final class Stand {
    static let loadCore = 0
    static let consumerCore = 1
    /// Discard (RFC 863): the receiver's card drops it.
    static let port = 9
    /// Of a configuration in the lab's folder.
    static func configurationName(of contender: Contender) -> String { "\(contender.rawValue).yaml" }

    let contender: Contender
    let lab: Lab
    let tools: Binaries
    private(set) var consumer: Program?
    /// Who gets mails, traps and messages of the sensor.
    private(set) var receivers: Program?

    var sender: Machine { lab.machine("sender") }
    var receiver: Machine { lab.machine("receiver") }

    static let plan = LabPlan(machines: [.init("sender", 100), .init("receiver", 10)])

    /// The lab as the benchmarks need it: nothing is sent on the bridge but what is measured.
    static func buildLab() throws -> Lab {
        let lab = try Lab.start(plan)
        let sender = lab.machine("sender")
        let receiver = lab.machine("receiver")
        for machine in [sender, receiver, lab.host] {
            try machine.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        }
        for (machine, other) in [(sender, receiver), (receiver, sender)] {
            try machine.run(
                "ip", "neighbour", "replace", other.ipv4, "lladdr", other.mac, "dev", "eth0", "nud",
                "permanent")
        }
        try receiver.run(
            "nft", "-f", "-",
            input: """
                table netdev sink {
                    chain arriving {
                        type filter hook ingress device eth0 priority 0; policy accept;
                        udp dport { 0, \(port) } drop
                    }
                }
                """)
        return lab
    }

    /// `counting`: the sensor's allocations are counted, which makes each of them slower.
    init(_ contender: Contender, in lab: Lab, tools: Binaries, counting: Bool = false) throws {
        self.contender = contender
        self.lab = lab
        self.tools = tools
        do {
            switch contender {
            case .none:
                // Without rules the bridge need not ask netfilter at all.
                for family in ["iptables", "ip6tables"] {
                    try lab.host.run("sysctl", "-qw", "net.bridge.bridge-nf-call-\(family)=0")
                }
            case .floor, .control: try startFloor()
            case .flinch, .mute, .mirror: try startFlinch(counting)
            case .ring: try startRing()
            case .sinks:
                try startReceivers()
                try startFlinch(counting)
            }
        } catch {
            stop()
            throw error
        }
    }

    private func startReceivers() throws {
        let program = try lab.host.start(["/usr/bin/python3", "-c", BenchConfiguration.receivers], limit: nil)
        receivers = program
        guard program.waitUntilItSays("ready", atMost: .seconds(20)) else {
            throw LabError("\(program.title): \(program.complained)")
        }
    }

    private func startFloor() throws {
        try lab.host.run(tools.flinch, "divert", "install", "--config", configuration)
        let program = try lab.host.start([tools.floor, "--cores", "\(Self.consumerCore)"], limit: nil)
        consumer = program
        guard program.waitUntilItSays("ready", atMost: .seconds(5)) else {
            throw LabError("\(program.title): \(program.complained)")
        }
    }

    private func startRing() throws {
        let program = try lab.host.start(
            [tools.floor, "ring", "--interface", "br0", "--core", "\(Self.consumerCore)"], limit: nil)
        consumer = program
        guard program.waitUntilItSays("ready", atMost: .seconds(5)) else {
            throw LabError("\(program.title): \(program.complained)")
        }
    }

    private func startFlinch(_ counting: Bool) throws {
        var command = [tools.flinchd, "--config", configuration]
        if counting {
            command =
                ["env", "LD_PRELOAD=\(tools.allocations)", "FLINCH_ALLOCATIONS=\(allocationsFile)"] + command
        }
        let program = try lab.host.start(command, limit: nil)
        consumer = program
        let running = eventually(within: .seconds(20), every: .milliseconds(50)) {
            program.ended != nil || (try? status()) != nil
        }
        guard running, program.ended == nil else { throw LabError("\(program.title): \(program.complained)") }
        // The workers and the controller settle: page faults of the start are not a packet's cost.
        rest(.milliseconds(500))
    }

    func stop() {
        defer { receivers?.stop() }
        if let consumer {
            consumer.send(SIGCONT)
            consumer.stop(patience: .seconds(5))
        }
        if contender == .floor || contender == .control {
            _ = try? lab.host.run(tools.flinch, "divert", "remove", "--config", configuration)
        }
    }

    /// Where the sensor's allocations are shown while they are counted.
    var allocationsFile: String { lab.file("allocations") }
    private var configuration: String { lab.file(Self.configurationName(of: contender)) }

    /// What a running sensor says of itself.
    func status() throws -> Status {
        let document = try ControlClient.request(path: BenchConfiguration.control(lab), "status")
        return try JSONDecoder().decode(Status.self, from: Data(document))
    }

    // MARK: What the kernel says

    /// One queue as the kernel counts it (/proc/net/netfilter/nfnetlink_queue).
    struct QueueCounters {
        /// Waiting for a verdict.
        var waiting: Int
        /// Dropped because the queue was full, and because the socket was.
        var dropped: Int
        var undelivered: Int
        /// Queued since the queue was bound.
        var queued: Int
    }

    func queue() throws -> QueueCounters {
        let text = try lab.host.run("cat", "/proc/net/netfilter/nfnetlink_queue")
        let fields = text.split(separator: "\n").first?.split(separator: " ").compactMap { Int($0) } ?? []
        guard fields.count >= 8 else { throw LabError("no queue is bound on the bridge") }
        return QueueCounters(
            waiting: fields[2], dropped: fields[5], undelivered: fields[6], queued: fields[7])
    }

    /// Packets that have come in at the receiver's card.
    func arrived() throws -> Int {
        let text = try receiver.run("cat", "/sys/class/net/eth0/statistics/rx_packets")
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    /// Waits until the queue is empty and nothing more arrives.
    func settle() throws {
        var last = -1
        _ = try poll(within: .seconds(3), every: .milliseconds(20)) { [self] in
            let now = try arrived()
            defer { last = now }
            return try now == last && (!contender.hasQueue || queue().waiting == 0)
        }
    }

    private func poll(
        within limit: Duration, every pause: Duration, _ condition: () throws -> Bool
    ) throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while try !condition() {
            if ContinuousClock.now >= deadline { return false }
            rest(pause)
        }
        return true
    }

    // MARK: What is sent

    /// UDP from the sender to the receiver; returns how many packets were sent, and in how many nanoseconds.
    func generate(
        size: Int, flows: Int = 1, count: Int? = nil, rate: Int = 0, seconds: Int, port: Int = Stand.port
    ) throws -> Sent {
        var command = [
            "taskset", "-c", "\(Self.loadCore)", tools.load, "generate", "--interface", "eth0",
            "--destination-mac", receiver.mac, "--source", "10.128.0.1", "--destination", receiver.ipv4,
            "--port", "\(port)", "--size", "\(size)", "--flows", "\(flows)", "--rate", "\(rate)",
            "--seconds", "\(seconds)",
        ]
        if let count { command += ["--count", "\(count)"] }
        return try JSONDecoder().decode(
            Sent.self, from: Data(run(sender, command, seconds: seconds + 5).utf8))
    }

    struct Sent: Decodable {
        var sent: Int
        var nanoseconds: Double
        /// Processor time of the generator, in nanoseconds: the way of its packets through the kernel is in it.
        var cpu: Double
    }

    /// Runs a program to its end and returns what it printed.
    func run(_ machine: Machine, _ command: [String], seconds: Int) throws -> String {
        let program = try machine.start(command, limit: .seconds(seconds))
        guard program.wait(atMost: .seconds(seconds + 3)) == .exited(0) else {
            program.stop()
            throw LabError("\(program.title): \(program.complained)\(program.printed)")
        }
        return program.printed
    }
}

extension Binaries {
    var floor: String { "\(directory)/flinch-floor" }
    var load: String { "\(directory)/flinch-load" }
    var allocations: String { "\(directory)/libCAllocations.so" }

    func check(_ contenders: [Contender]) throws {
        var needed = [load]
        if contenders.contains(.ring) { needed += [floor] }
        if contenders.contains(.floor) { needed += [floor, flinch] }
        if contenders.contains(.flinch) { needed += [allocations] }
        if contenders.contains(where: { [.flinch, .mute, .sinks, .mirror].contains($0) }) { needed += [flinchd] }
        for program in needed where unsafe access(program, X_OK) != 0 {
            throw LabError("\(program) is missing: swift build -c release")
        }
    }
}
