import Control
import Foundation
import Lab
import Testing

extension Integration {
    /// Bridges as the platforms build them, and guests that come, go and move.
    @Suite(.serialized)
    struct Platforms {
        private func guests(_ sensor: SensorProcess) throws -> GuestsDocument {
            try JSONDecoder().decode(
                GuestsDocument.self, from: Data(try ControlClient.request(path: sensor.control, "guests")))
        }

        private func guest(_ name: String, _ sensor: SensorProcess) throws -> GuestsDocument.Guest {
            guard let guest = try guests(sensor).guests.first(where: { $0.name == name }) else {
                throw LabError("no guest is \(name)")
            }
            return guest
        }

        /// Twenty pings: how many of them were inspected on their way to the guest, and how many answers came.
        private func inspected(_ lab: Lab, _ sensor: SensorProcess, from: Machine, to: String) throws -> [Int] {
            func received() throws -> Int {
                Int(try sensor.status().guests.first { $0.address == to }?.received["icmp"] ?? 0)
            }
            _ = try lab.pings(1, from: from, to: to)
            let before = try received()
            let answers = try lab.pings(20, from: from, to: to)
            return [try received() - before, answers]
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
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            do {
                try await body(lab, sensor)
            } catch  where sensor.program.ended != nil {
                throw LabError("flinchd has ended:\n\(sensor.program.complained)")
            }
            sensor.terminate()
            #expect(sensor.program.ended == .exited(0), "\(sensor.program.complained)")
        }

        /// Three packets that a machine sends from the client's address.
        private func spoof(_ lab: Lab, from spoofer: Machine) throws {
            let client = lab.client
            try spoofer.run(
                "trafgen", "--in", "-", "--out", "eth0", "--cpus", "1", "--num", "3", "--gap", "10ms", "--no-sock-mem",
                "--no-cpu-stats",
                input: "{ eth(da=\(client.mac), sa=\(spoofer.mac)) ipv4(saddr=\(client.ipv4), daddr=\(client.ipv4)) "
                    + "udp(dp=7777) \"x\" }\n")
        }

        /// The same, and whether they are dropped because of the guest's policy.
        private func isStopped(_ spoofer: Machine, _ lab: Lab, _ sensor: SensorProcess) throws -> Bool {
            let before = try sensor.status().verdicts.byReason["spoofed"] ?? 0
            try spoof(lab, from: spoofer)
            return eventually(within: .seconds(1), every: .milliseconds(50)) {
                ((try? sensor.status().verdicts.byReason["spoofed"]) ?? 0) == before + 3
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
            configuration.more = "policies: {own: {for: [we*], conformance: {\"guest.*\": drop}}}"
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())

            let said = try guest("web", sensor)
            #expect(said.platform == "proxmox" && said.identifier == "100" && said.policy == "own")
            #expect(said.ports.map(\.name) == ["tap100i0", "fwpr100p0"] && said.state == "running")
            #expect(said.ports.map(\.bridge) == ["fwbr100i0", "br0"])
            #expect(said.addresses.map(\.known) == ["pinned", "pinned"])
            #expect(try guest("dns", sensor).ports.map(\.name) == ["veth200i0"])

            for to in [web.ipv4, web.ipv6] {
                for from in [lab.client, dns, lab.host] {
                    let count = try inspected(lab, sensor, from: from, to: to)
                    #expect(count == [20, 20], "\(from.name) to \(to)")
                }
            }
            #expect(try isStopped(web, lab, sensor))

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
                #expect(try inspected(lab, sensor, from: lab.client, to: web.ipv4) == [20, 20], "with its firewall")
                try lab.host.run("iptables", "-F")
                try lab.host.run("iptables", "-X")
                #expect(try inspected(lab, sensor, from: lab.client, to: web.ipv4) == [20, 20], "without it")
            }
            #expect(try sensor.status().uninspected.total == 0)
            sensor.terminate()
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
                // What a guest says to all teaches br1 that it is behind up1. That holds on when it has moved, and br1
                // drops what comes for it by up1, until it speaks again: whoever moves guests has them announced
                // (qemu's announce-self, as of a migration), or a sender that is silent waits for its peer's ARP.
                let announce = {
                    _ = try web.run("busybox", "arping", "-q", "-U", "-c", "1", "-I", "eth0", web.ipv4)
                }
                try announce()
                _ = try web.start(["iperf3", "-s", "-1"], limit: .seconds(20))
                #expect(
                    eventually(within: .seconds(5), every: .milliseconds(50)) {
                        (try? web.run("ss", "-Hltn"))?.contains(":5201") == true
                    })
                let client = try lab.client.start(
                    ["iperf3", "-c", web.ipv4, "-b", "2M", "-t", "4", "-J"], limit: .seconds(20))
                rest(.milliseconds(1200))
                let refused = try sensor.status().flows
                try ip(lab, "link set web0 master br1")
                try announce()
                #expect(
                    eventually(within: .seconds(1)) {
                        (try? guest("web", sensor).ports.first?.bridge) == "br1"
                    })
                #expect(client.wait(atMost: .seconds(15)) == .exited(0), "\(client.printed)")
                let after = try sensor.status()
                #expect(after.flows.refused == refused.refused && after.verdicts.dropped == 0)
                #expect(try guest("web", sensor).policy == "own")
                #expect(try isStopped(web, lab, sensor))
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
                #expect(try isStopped(web, lab, sensor))
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
                #expect(try isStopped(web, lab, sensor))
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
                #expect(try isStopped(quiet, lab, sensor))
                try lab.expectAnswers(20, from: lab.client, to: quiet.ipv4)
                #expect(
                    eventually(within: .seconds(2)) {
                        (try? sensor.status().guests.contains { $0.name == "window" && $0.address == quiet.ipv4 })
                            == true
                    })
                // No reload was ordered, and nothing was lost.
                let status = try sensor.status()
                #expect(status.rules.generation == generation && status.uninspected.total == 0)
            }
        }

        /// Sixteen bridges one behind the other, frames of 9,000 bytes: each packet is queued once, whole, and inspected.
        @Test func jumboFramesPassManyBridgesAndAreQueuedOnce() async throws {
            try await withList("web port=web0 address=10.77.0.10") { lab, sensor in
                let web = lab.guest("web")
                var lines = ["br0", "web0", lab.client.port].map { "link set \($0) mtu 9000" }
                for number in 1..<16 {
                    lines += [
                        "link add br\(number) type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
                        "link add up\(number) type veth peer name down\(number)",
                        "link set up\(number) mtu 9000 master br\(number - 1) up",
                        "link set down\(number) mtu 9000 master br\(number) up", "link set br\(number) mtu 9000 up",
                    ]
                }
                try ip(lab, (lines + ["link set web0 master br15"]).joined(separator: "\n"))
                for machine in [web, lab.client] { try machine.run("ip", "link", "set", "eth0", "mtu", "9000") }
                _ = try web.run("busybox", "arping", "-q", "-U", "-c", "1", "-I", "eth0", web.ipv4)
                #expect(
                    eventually(within: .seconds(2)) { (try? guest("web", sensor).ports.first?.bridge) == "br15" })
                #expect(try inspected(lab, sensor, from: lab.client, to: web.ipv4) == [20, 20])
                let received = {
                    try sensor.status().guests.first { $0.address == web.ipv4 }?.received["icmp"] ?? 0
                }
                let before = try received()
                let ping = try lab.client.start(
                    ["ping", "-n", "-q", "-M", "do", "-s", "8972", "-i", "0.05", "-c", "20", web.ipv4],
                    limit: .seconds(10))
                #expect(ping.wait(atMost: .seconds(10)) == .exited(0), "\(ping.printed)")
                #expect(ping.printed.contains("20 received"), "\(ping.printed)")
                #expect(try received() - before == 20)
                let after = try sensor.status()
                #expect(after.uninspected.total == 0 && after.verdicts.dropped == 0)
            }
        }

        /// A guest's own overlay, and one in that: what is in the inner one is found, dropped if a rule asks for it, and
        /// told with the tunnel around it.
        @Test func aVXLANInAVXLANIsLookedInto() async throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            let binaries = try Binaries.find()
            var configuration = SensorConfiguration()
            configuration.ruleFiles = [
                try lab.write(
                    """
                    alert icmp any any -> any any (msg:"Told"; itype:8; content:"FlinchToldFlinch"; sid:1;)
                    drop icmp any any -> any any (msg:"Gone"; itype:8; content:"FlinchGoneFlinch"; sid:2;)

                    """, to: "nested.rules")
            ]
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: binaries)
            let web = lab.guest("web")
            for (machine, other, number) in [(web, lab.client.ipv4, 1), (lab.client, web.ipv4, 2)] {
                let peer = 3 - number
                try Command.run(
                    ["ip", "-n", machine.namespace.name, "-batch", "-"],
                    input: """
                        link add vx10 type vxlan id 10 remote \(other) dstport 4789
                        address add 10.98.0.\(number)/24 dev vx10
                        link set vx10 up
                        link add vx20 type vxlan id 20 remote 10.98.0.\(peer) dstport 4789 dev vx10
                        address add 10.99.0.\(number)/24 dev vx20
                        link set vx20 up

                        """)
            }
            func pings(_ text: String) throws -> Bool {
                let pattern = text.utf8.map { String($0, radix: 16) }.joined()
                let ping = try lab.client.start(
                    ["ping", "-n", "-q", "-c", "5", "-i", "0.1", "-W", "1", "-s", "64", "-p", pattern, "10.99.0.1"],
                    limit: .seconds(10))
                ping.wait(atMost: .seconds(10))
                return ping.printed.contains("5 received")
            }
            #expect(eventually(within: .seconds(5)) { (try? pings("FlinchFineFlinch")) == true })
            #expect(try pings("FlinchToldFlinch"))
            #expect(try pings("FlinchGoneFlinch") == false)
            func told(_ sid: Int) throws -> [EveLog.Record] {
                try sensor.eve.records().filter { $0.event_type == "alert" && $0.alert?.signature_id == sid }
            }
            for (sid, action) in [(1, "allowed"), (2, "blocked")] {
                #expect(eventually(within: .seconds(3)) { (try? told(sid).isEmpty) == false })
                let record = try #require(try told(sid).first)
                #expect(record.src_ip == "10.99.0.2" && record.dest_ip == "10.99.0.1" && record.alert?.action == action)
                #expect(record.tunnel?.src_ip == lab.client.ipv4 && record.tunnel?.dest_ip == web.ipv4)
                #expect(record.tunnel?.depth == 2)
            }
            #expect(sensor.terminate() == .exited(0), "\(sensor.program.complained)")
        }

        /// Others that come and go end no flood, and open none of its gates: no tenant can help himself by it.
        @Test func aFloodGoesOnWhileGuestsComeAndGo() async throws {
            try await withList(
                "web port=web0 address=10.77.0.10", learn: "any",
                more: "policies: {own: {for: [web], floods: {icmp: {rate: 300, exit: 150, action: deny}}}}"
            ) { lab, sensor in
                let place = sensor.eve.end
                let flood = try Attack.icmp(from: lab.outside, to: lab.guest("web"), rate: 2000, seconds: 5).start()
                #expect(eventually(within: .seconds(3)) { (try? sensor.status().floods.count) == 1 })
                let identifier = try #require(try sensor.status().floods.first?.identifier)
                for line in ["window port=quiet0", "window port=quiet0\nother port=dns0", "other port=dns0"] {
                    try lab.write("web port=web0 address=10.77.0.10\n\(line)", to: "guests.list")
                    _ = try lab.pings(2, from: lab.client, to: lab.guest("quiet").ipv4)
                    rest(.milliseconds(700))
                }
                #expect(try guests(sensor).guests.count >= 3)
                #expect(try sensor.status().floods.map(\.identifier) == [identifier])
                flood.wait(atMost: .seconds(8))
                #expect(eventually(within: .seconds(6)) { (try? sensor.status().floods.isEmpty) == true })
                let events = { try sensor.eve.records(from: place).filter { $0.isFlood("icmp", at: "web") } }
                #expect(eventually(within: .seconds(2)) { (try? events().count { $0.closes }) == 1 })
                #expect(try events().count { $0.opens } == 1)
                // At most what came before the flood was known arrived.
                let status = try #require(try sensor.status().guests.first { $0.address == "10.77.0.10" })
                let (came, stopped) = (status.received["icmp"] ?? 0, status.dropped["icmp"] ?? 0)
                #expect(came > 2000 && came - stopped < came / 5, "\(came) came, \(stopped) were stopped")
            }
        }

        /// A libvirt guest on a network of libvirt's, virbr0, with its dnsmasq: the address that it is given is its own.
        @Test func whatLibvirtsNetworkGivesIsTheGuests() async throws {
            try Requirements.root()
            let lab = try Lab.start()
            defer { lab.stop() }
            let quiet = lab.guest("quiet")
            try ip(
                lab,
                """
                link add virbr0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0
                address add 192.168.122.1/24 dev virbr0
                link set virbr0 up
                link set quiet0 down
                link set quiet0 name vnet3
                link set vnet3 master virbr0 up
                """)
            for folder in ["qemu", "lxc"] {
                try FileManager.default.createDirectory(
                    atPath: lab.file("libvirt/\(folder)"), withIntermediateDirectories: true)
            }
            var configuration = SensorConfiguration()
            configuration.guests = "{from: [{libvirt: libvirt}]}"
            configuration.bridges = []
            configuration.more = "policies: {own: {for: [vm*], conformance: {\"guest.*\": drop}}}"
            let sensor = try SensorProcess.start(in: lab, configuration, binaries: try Binaries.find())
            #expect(try guests(sensor).guests.isEmpty)
            // It comes while the sensor runs.
            try lab.write(
                """
                <domstatus state='running'><domain type='kvm'><name>vm1</name><uuid>1-2</uuid><devices>
                <interface type='network'><mac address='\(quiet.mac)'/><source network='default' bridge='virbr0'/>
                <target dev='vnet3'/></interface></devices></domain></domstatus>
                """, to: "libvirt/qemu/vm1.xml")
            #expect(eventually(within: .seconds(1)) { (try? guest("vm1", sensor).state) == "running" })
            _ = try lab.host.start(
                [
                    "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--interface=virbr0",
                    "--bind-interfaces",
                    "--port=0", "--dhcp-range=192.168.122.50,192.168.122.60,1h", "--user=root", "--leasefile-ro",
                    "--pid-file=\(lab.file("dnsmasq.pid"))",
                ], limit: .seconds(20))
            try quiet.run("ip", "address", "flush", "dev", "eth0")
            let script = try lab.write(
                "#!/bin/sh\n[ \"$1\" != bound ] || ip address add $ip/24 dev $interface\n", to: "bound")
            try Command.run(["chmod", "755", script])
            try quiet.run(
                "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "10", "-T", "1", "-s", script,
                limit: .seconds(15))
            #expect(eventually(within: .seconds(1)) { (try? guest("vm1", sensor).addresses.count) == 1 })
            let address = try #require(try guest("vm1", sensor).addresses.first)
            #expect(address.known == "leased" && address.address.hasPrefix("192.168.122.5"))
            #expect(try guest("vm1", sensor).ports.map(\.bridge) == ["virbr0"])
            try lab.expectAnswers(10, from: lab.host, to: address.address)
            #expect(try guest("vm1", sensor).policy == "own")
            #expect(try sensor.status().uninspected.total == 0)
            sensor.terminate()
        }
    }
}
