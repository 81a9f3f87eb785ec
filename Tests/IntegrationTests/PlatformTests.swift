import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// Bridges as the platforms build them, and guests that come, go and move.
    @Suite(.serialized)
    struct Platforms {
        /// What the kernel's rules counted.
        private struct Diverted: Decodable { var diverted: UInt64 }

        private func diverted(_ lab: Lab) throws -> UInt64 {
            let text = try lab.host.run(try Binaries.find().flinch, "divert", "status", "--json")
            return try JSONDecoder().decode(Diverted.self, from: Data(text.utf8)).diverted
        }

        private func guests(_ sensor: SensorProcess) throws -> GuestsDocument {
            try JSONDecoder().decode(
                GuestsDocument.self, from: Data(try ControlClient.request(path: sensor.control, "guests")))
        }

        private func guest(_ name: String, _ sensor: SensorProcess) throws -> GuestsDocument.Guest {
            try #require(try guests(sensor).guests.first { $0.name == name })
        }

        /// Twenty pings and their answers: how many of the forty packets were queued.
        private func queued(_ lab: Lab, from: Machine, to: String) throws -> Int {
            try lab.expectAnswers(1, from: from, to: to)
            let before = try diverted(lab)
            try lab.expectAnswers(20, from: from, to: to)
            return Int(try diverted(lab) - before)
        }

        private func ip(_ lab: Lab, _ lines: String) throws {
            try Command.run(["ip", "-n", lab.host.namespace.name, "-batch", "-"], input: lines + "\n")
        }

        /// A lab with a sensor whose guests are what `list` says, a line each; others may be written at any time.
        private func withList(
            _ list: String, learn: String = "neighbours", more: String = "",
            _ body: (Lab, SensorProcess) async throws -> Void
        ) async throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            try lab.write(list, to: "guests.list")
            var configuration = SensorConfiguration()
            configuration.guests = "{from: [{file: guests.list}], learn: \(learn)}"
            configuration.bridges = []
            configuration.more = more
            try await body(lab, try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find()))
        }

        /// A packet that a machine sends from an address that is not its own, and whether an event says who did.
        private func isTold(of spoofer: Machine, named name: String, _ lab: Lab, _ sensor: SensorProcess) throws -> Bool
        {
            let place = sensor.eve.end
            let client = lab.client
            try spoofer.run(
                "trafgen", "--in", "-", "--out", "eth0", "--cpus", "1", "--num", "3", "--gap", "10ms", "--no-sock-mem",
                "--no-cpu-stats",
                input: "{ eth(da=\(client.mac), sa=\(spoofer.mac)) ipv4(saddr=\(client.ipv4), daddr=\(client.ipv4)) "
                    + "udp(dp=7777) \"x\" }\n")
            return eventually(within: .seconds(3)) {
                let text = (try? String(contentsOfFile: sensor.eve.path, encoding: .utf8)) ?? ""
                return text.utf8.dropFirst(place).split(separator: 10).contains { line in
                    let line = String(line) ?? ""
                    return line.contains("guest.address_spoofed") && line.contains("\"\(name)\"")
                }
            }
        }

        /// With its firewall on, a card of a Proxmox guest is on a bridge of its own, which a pair of interfaces joins
        /// to vmbr0 (PVE::Network::tap_plug). A packet passes two bridges and is queued once.
        @Test func aPacketThroughProxmoxsBridgesIsQueuedOnce() async throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            let (web, dns) = (lab.guest("web"), lab.guest("dns"))
            try ip(
                lab,
                """
                link set web0 down
                link set web0 name tap100i0
                link add fwbr100i0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0
                link add fwpr100p0 type veth peer name fwln100i0
                link set fwpr100p0 master br0 up
                link set fwln100i0 master fwbr100i0 up
                link set tap100i0 master fwbr100i0 up
                link set fwbr100i0 up
                link set dns0 down
                link set dns0 name veth200i0
                link set veth200i0 up
                """)
            for folder in ["qemu-server", "lxc", "firewall"] {
                try FileManager.default.createDirectory(
                    atPath: lab.file("pve/\(folder)"), withIntermediateDirectories: true)
            }
            try lab.write(
                "name: web\nnet0: virtio=\(web.mac),bridge=br0,firewall=1\nipconfig0: ip=\(web.ipv4)/24,ip6=\(web.ipv6)/64\n",
                to: "pve/qemu-server/100.conf")
            try lab.write(
                "hostname: dns\nnet0: name=eth0,bridge=br0,hwaddr=\(dns.mac),ip=\(dns.ipv4)/24,ip6=\(dns.ipv6)/64,type=veth\n",
                to: "pve/lxc/200.conf")
            var configuration = SensorConfiguration()
            configuration.guests = "{from: [{proxmox: pve}]}"
            configuration.bridges = []
            configuration.more = "policies: {own: {for: [we*], conformance: {\"guest.*\": alert}}}"
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())

            let said = try guest("web", sensor)
            #expect(said.platform == "proxmox" && said.identifier == "100" && said.policy == "own")
            #expect(said.ports.map(\.name) == ["tap100i0", "fwpr100p0"] && said.state == "running")
            #expect(said.ports.map(\.bridge) == ["fwbr100i0", "br0"])
            #expect(said.addresses.map(\.known) == ["pinned", "pinned"])
            #expect(try guest("dns", sensor).ports.map(\.name) == ["veth200i0"])

            for to in [web.ipv4, web.ipv6] {
                #expect(try queued(lab, from: lab.client, to: to) == 40, "from outside")
                #expect(try queued(lab, from: dns, to: to) == 40, "from a container")
                #expect(try queued(lab, from: lab.host, to: to) == 40, "from the host")
            }
            #expect(try isTold(of: web, named: "web", lab, sensor))

            // pve-firewall's rules come in one iptables-restore, and go, and come again.
            let rules = """
                *filter
                :PVEFW-FORWARD - [0:0]
                :PVEFW-FWBR-IN - [0:0]
                :PVEFW-FWBR-OUT - [0:0]
                :tap100i0-IN - [0:0]
                :tap100i0-OUT - [0:0]
                -A FORWARD -j PVEFW-FORWARD
                -A PVEFW-FORWARD -m conntrack --ctstate INVALID -j DROP
                -A PVEFW-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
                -A PVEFW-FORWARD -m physdev --physdev-is-bridged --physdev-in fwln+ -j PVEFW-FWBR-IN
                -A PVEFW-FORWARD -m physdev --physdev-is-bridged --physdev-out fwln+ -j PVEFW-FWBR-OUT
                -A PVEFW-FWBR-IN -m physdev --physdev-is-bridged --physdev-out tap100i0 -j tap100i0-IN
                -A PVEFW-FWBR-OUT -m physdev --physdev-is-bridged --physdev-in tap100i0 -j tap100i0-OUT
                -A tap100i0-IN -p icmp -j ACCEPT
                -A tap100i0-OUT -j ACCEPT
                COMMIT

                """
            for _ in 0..<2 {
                try lab.host.run("iptables-restore", input: rules)
                #expect(try queued(lab, from: lab.client, to: web.ipv4) == 40, "with its firewall")
                try lab.host.run("iptables", "-F")
                try lab.host.run("iptables", "-X")
                #expect(try queued(lab, from: lab.client, to: web.ipv4) == 40, "without it")
            }
            #expect(try sensor.status().uninspected.total == 0)
            sensor.terminate()
        }

        /// A bridge that knows VLANs, with two of them; and jumbo frames.
        @Test func aBridgeThatKnowsVLANsIsInspectedOnce() async throws {
            try await withList("web port=web0 address=10.77.0.10\ndns port=dns0 address=10.77.0.11") { lab, sensor in
                let (web, dns, quiet) = (lab.guest("web"), lab.guest("dns"), lab.guest("quiet"))
                try ip(lab, "link set br0 type bridge vlan_filtering 1 vlan_default_pvid 1")
                for port in ["web0", "dns0"] {
                    try lab.host.run("bridge", "vlan", "del", "vid", "1", "dev", port)
                    try lab.host.run("bridge", "vlan", "add", "vid", "10", "pvid", "untagged", "dev", port)
                }
                #expect(try queued(lab, from: dns, to: web.ipv4) == 40)
                try lab.expectAnswers(0, of: 3, from: quiet, to: web.ipv4)
                #expect(try isTold(of: web, named: "web", lab, sensor) == false, "the client is in another VLAN")
                try ip(lab, "link set web0 mtu 9000\nlink set dns0 mtu 9000")
                for machine in [web, dns] { try machine.run("ip", "link", "set", "eth0", "mtu", "9000") }
                try dns.run("ping", "-q", "-c", "3", "-i", "0.05", "-s", "8000", "-M", "do", web.ipv4)
                sensor.terminate()
            }
        }

        /// A guest that runs while it is moved to another bridge keeps its connection, and its policy.
        @Test func aGuestThatMovesKeepsItsPolicyAndItsFlow() async throws {
            try await withList(
                "web id=7 port=web0 address=10.77.0.10",
                more: "policies: {own: {for: [web], conformance: {\"guest.*\": drop}}}"
            ) { lab, sensor in
                let web = lab.guest("web")
                try ip(
                    lab,
                    """
                    link add br1 type bridge forward_delay 0 stp_state 0 mcast_snooping 0
                    link add up0 type veth peer name up1
                    link set up0 master br0 up
                    link set up1 master br1 up
                    link set br1 up
                    """)
                let server = try web.start(["iperf3", "-s", "-1"], limit: .seconds(20))
                #expect(server.waitUntilItSays("listening", atMost: .seconds(3)))
                let client = try lab.client.start(
                    ["iperf3", "-c", web.ipv4, "-b", "2M", "-t", "4", "-J"], limit: .seconds(20))
                rest(.milliseconds(1200))
                let refused = try sensor.status().flows
                try ip(lab, "link set web0 master br1")
                #expect(
                    eventually(within: .seconds(1)) {
                        (try? guest("web", sensor).ports.first?.bridge) == "br1"
                    })
                #expect(client.wait(atMost: .seconds(15)) == .exited(0), "\(client.printed)")
                let after = try sensor.status()
                #expect(after.flows.refused == refused.refused && after.verdicts.dropped == 0)
                #expect(try guest("web", sensor).policy == "own")
                let dropped = try sensor.status().verdicts.dropped
                #expect(try isTold(of: web, named: "web", lab, sensor))
                #expect(try sensor.status().verdicts.dropped == dropped + 3)
                sensor.terminate()
            }
        }

        /// A guest that starts anew has a port of the same name and another number: its policy is there within a second.
        /// One that comes has its own, by its name, and what is learned of it.
        @Test func guestsAreFollowedWithinASecond() async throws {
            try await withList(
                "web port=web0 address=10.77.0.10", learn: "any",
                more: "policies: {own: {for: [w*], conformance: {\"guest.*\": drop}}}"
            ) { lab, sensor in
                let (web, quiet) = (lab.guest("web"), lab.guest("quiet"))
                let before = try #require(try guest("web", sensor).ports.first?.index)
                #expect(try isTold(of: web, named: "web", lab, sensor))
                let generation = try sensor.status().rules.generation
                // The guest stops, and starts.
                try ip(lab, "link del web0")
                #expect(eventually(within: .seconds(1)) { (try? guest("web", sensor).state) == "stopped" })
                try ip(
                    lab,
                    """
                    link add web0 type veth peer name eth0 address \(web.mac) netns \(web.namespace.name)
                    link set web0 master br0 up
                    """)
                try web.run("ip", "link", "set", "eth0", "up")
                try web.run("ip", "address", "add", "\(web.ipv4)/24", "dev", "eth0")
                #expect(
                    eventually(within: .seconds(1)) {
                        (try? guest("web", sensor).ports.first?.index).map { $0 != before } ?? false
                    })
                rest(.milliseconds(300))
                let dropped = try sensor.status().verdicts.dropped
                #expect(try isTold(of: web, named: "web", lab, sensor))
                #expect(try sensor.status().verdicts.dropped == dropped + 3)
                try lab.expectAnswers(20, from: lab.client, to: web.ipv4)

                // Another one, of which nobody says the address.
                try lab.write("web port=web0 address=10.77.0.10\nwindow port=quiet0 owner=acme", to: "guests.list")
                #expect(eventually(within: .seconds(1)) { (try? guest("window", sensor).state) == "running" })
                #expect(try guest("window", sensor).addresses.map(\.address) == [])
                try lab.expectAnswers(20, from: lab.client, to: quiet.ipv4)
                #expect(
                    eventually(within: .seconds(1)) {
                        (try? guest("window", sensor).addresses.map(\.address)) == [quiet.ipv4]
                    })
                let window = try guest("window", sensor)
                #expect(window.policy == "own" && window.owner == "acme" && window.addresses.first?.known == "used")
                // It is counted for, and stopped, under its name.
                rest(.milliseconds(300))
                #expect(try isTold(of: quiet, named: "window", lab, sensor))
                try lab.expectAnswers(20, from: lab.client, to: quiet.ipv4)
                #expect(
                    eventually(within: .seconds(2)) {
                        (try? sensor.status().guests.contains { $0.name == "window" && $0.address == quiet.ipv4 })
                            == true
                    })
                // No reload was ordered, and nothing was lost.
                let status = try sensor.status()
                #expect(status.rules.generation == generation && status.uninspected.total == 0)
                sensor.terminate()
            }
        }
    }
}
