import CLinux
import Foundation
import Synchronization

/// Network namespaces joined by a real Linux bridge, in which real programs play guests, clients and
/// attackers, and the real sensor runs.
///
/// ```
///   web ── web0 ┐
///   dns ── dns0 ┤
///   …           ├ br0 (host: here runs flinchd)
///   client ─────┤
///   outside ────┘
/// ```
///
/// Nothing leaves the namespaces. Every program in them is bounded in time. `stop()` (or the end of the
/// process by a signal, see ``Shutdown``) takes all of it away; what a killed process left behind is
/// removed when the next lab starts.
public final class Lab: Sendable {
    /// The machine with the bridge, 10.77.0.1.
    public let host: Machine
    public let machines: [Machine]
    /// Files of this lab; gone with it.
    public let directory: String

    private let hold: LabHold
    private let stopped = Mutex(false)

    /// Builds a lab. Needs root.
    ///
    /// - Throws: `LabError` that says what is missing and how to get it.
    public static func start(_ plan: LabPlan = .standard) throws -> Lab {
        try Requirements.root()
        let hold = try LabHold.take()
        let lab = Lab(plan, hold: hold)
        Shutdown.register(lab)
        do {
            try lab.build()
        } catch {
            lab.stop()
            throw error
        }
        return lab
    }

    private init(_ plan: LabPlan, hold: LabHold) {
        self.hold = hold
        directory = hold.directory
        host = Self.machine("host", 1, port: "br0", hold)
        machines = plan.machines.map { Self.machine($0.name, $0.number, port: LabPlan.port($0.name), hold) }
    }

    private static func machine(_ name: String, _ number: UInt8, port: String, _ hold: LabHold) -> Machine {
        let digits = String(number, radix: 16)
        return Machine(
            name: name, namespace: Namespace(name: hold.prefix + name), port: port,
            ipv4: "10.77.0.\(number)", ipv6: "fd77::\(number)",
            mac: "02:00:00:00:00:\(digits.count == 1 ? "0" : "")\(digits)")
    }

    /// The machine of that name. Traps when the plan has none: that is a mistake in the program.
    public func machine(_ name: String) -> Machine {
        guard let machine = machines.first(where: { $0.name == name }) else {
            preconditionFailure("the lab has no machine \(name)")
        }
        return machine
    }

    public func guest(_ name: String) -> Machine { machine(name) }
    public var client: Machine { machine("client") }
    public var outside: Machine { machine("outside") }
    public var crowd: Machine { machine("crowd") }
    /// All but the clients and the one outside: those that the sensor protects.
    public var guests: [Machine] { machines.filter { !["client", "crowd", "outside"].contains($0.name) } }

    /// A path in the lab's directory.
    public func file(_ name: String) -> String { "\(directory)/\(name)" }

    /// Writes a file into the lab's directory and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let path = file(name)
        do {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw LabError("cannot write \(path): \(error.localizedDescription)")
        }
        return path
    }

    // MARK: Building

    private func build() throws {
        try batch(nil, ([host] + machines).map { "netns add \($0.namespace.name)" })
        // Addresses are usable at once, and nothing is sent that nobody asked for.
        for machine in [host] + machines {
            try machine.run(
                "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                "net.ipv6.conf.default.router_solicitations=0")
        }
        try batch(
            host,
            ["link set lo up", "link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0"]
                + Self.addresses(host, device: "br0")
                + machines.flatMap { machine in
                    [
                        "link add \(machine.port) type veth peer name eth0 address \(machine.mac) netns "
                            + machine.namespace.name,
                        "link set \(machine.port) master br0 up",
                    ]
                })
        for machine in machines {
            try batch(machine, ["link set lo up"] + Self.addresses(machine, device: "eth0"))
        }
    }

    private static func addresses(_ machine: Machine, device: String) -> [String] {
        [
            "link set \(device) up", "address add \(machine.ipv4)/24 dev \(device)",
            "address add \(machine.ipv6)/64 dev \(device) nodad",
        ]
    }

    /// Several `ip` commands in one process.
    private func batch(_ machine: Machine?, _ lines: [String]) throws {
        let place = machine.map { ["-n", $0.namespace.name] } ?? []
        try Command.run(["ip"] + place + ["-batch", "-"], input: lines.joined(separator: "\n") + "\n")
    }

    // MARK: Taking down

    /// Ends every program of the lab and removes its namespaces and files. May be called again, and by
    /// several threads; it returns when all is gone.
    public func stop() {
        stopped.withLock { stopped in
            guard !stopped else { return }
            stopped = true
            hold.clear()
            Shutdown.forget(self)
        }
    }
}
