import Control
import Foundation
import Lab
import Testing

/// `flinch setup` in the lab.
extension Integration.Platforms {
    /// A service that does not run is enabled and started, one that runs is told to read what has changed, and told
    /// nothing where nothing has; a systemctl in the PATH says what it was asked.
    private func expectSystemdIsAsked(_ lab: Lab, _ flinch: String, _ file: String) throws {
        for folder in ["run/systemd/system", "lib/systemd/system"] {
            try FileManager.default.createDirectory(
                atPath: lab.file("root/\(folder)"), withIntermediateDirectories: true)
        }
        try lab.write("", to: "root/lib/systemd/system/flinchd.service")
        try FileManager.default.createDirectory(atPath: lab.file("bin"), withIntermediateDirectories: true)
        let (asked, active) = (lab.file("asked"), lab.file("active"))
        try lab.write(
            """
            #!/bin/sh
            [ "$1" != is-active ] || exec test -e \(active)
            echo "$@" >> \(asked)
            touch \(active)

            """, to: "bin/systemctl")
        try Command.run(["chmod", "755", lab.file("bin/systemctl")])
        func setUp() throws -> String {
            try Command.run(
                [
                    "ip", "netns", "exec", lab.host.namespace.name, "env",
                    "PATH=\(lab.file("bin")):/usr/bin:/bin:/usr/sbin",
                ]
                    + [flinch, "setup", "--yes", "--config", file, "--root", lab.file("root")])
        }
        func orders() -> String { (try? String(contentsOfFile: asked, encoding: .utf8)) ?? "" }
        #expect(try setUp().contains("systemctl enable --now flinchd"))
        #expect(orders() == "enable --now flinchd\n")
        #expect(try setUp().contains("nothing: all is as proposed"))
        #expect(orders() == "enable --now flinchd\n")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try lab.write("guests: []\n", to: "etc/flinch.yaml")
        #expect(try setUp().contains("systemctl reload flinchd"))
        #expect(orders() == "enable --now flinchd\nreload flinchd\n")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    }

    /// It says what it found, does it after a yes, keeps what it replaces, and has nothing more to do then; and the
    /// sensor starts with it.
    @Test func setupProposesWhatIsThere() throws {
        try Requirements.root()
        let lab = try Lab.start()
        defer { lab.stop() }
        let (flinch, file) = (try Binaries.find().flinch, lab.file("etc/flinch.yaml"))
        try FileManager.default.createDirectory(
            atPath: lab.file("root/run/libvirt/qemu"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: lab.file("etc"), withIntermediateDirectories: true)
        try lab.write(
            """
            <domstatus state='running'><domain type='kvm'><name>web</name><uuid>1-2</uuid><devices>
            <interface type='bridge'><mac address='\(lab.guest("web").mac)'/><target dev='web0'/></interface>
            </devices></domain></domstatus>
            """, to: "root/run/libvirt/qemu/web.xml")
        try lab.write("guests: []\n", to: "etc/flinch.yaml")
        func setup(_ words: String...) throws -> String {
            try Command.run(
                ["ip", "netns", "exec", lab.host.namespace.name, flinch, "setup", "--no-start", "--config", file]
                    + ["--root", lab.file("root")] + words)
        }
        let said = try setup("--dry-run")
        #expect(said.contains("web0 on br0; address to be learned") && said.contains("shadow: true"), "\(said)")
        #expect(said.contains("dns0") && said.contains("flinch.yaml anew; what it is now is kept as"))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "guests: []\n")
        // Nobody can say yes.
        #expect(throws: LabError.self) { try setup() }
        #expect(try setup("--yes").contains("wrote \(file)"))
        #expect(try String(contentsOfFile: file + ".before-setup-1", encoding: .utf8) == "guests: []\n")
        #expect(try setup("--yes").contains("nothing: all is as proposed"))
        #expect(!FileManager.default.fileExists(atPath: file + ".before-setup-2"))
        try expectSystemdIsAsked(lab, flinch, file)

        let place = "sensor: {control: \(lab.file("flinchd.sock")), state: \(lab.file("state"))}\n"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try lab.write(text + place + "events: {eve: \(lab.file("eve.json"))}\n", to: "etc/flinch.yaml")
        let sensor = try lab.host.start([try Binaries.find().flinchd, "--config", file], limit: .seconds(20))
        defer { sensor.stop() }
        func guests() throws -> GuestsDocument {
            try JSONDecoder().decode(
                GuestsDocument.self,
                from: Data(try ControlClient.request(path: lab.file("flinchd.sock"), "guests")))
        }
        #expect(eventually(within: .seconds(10)) { (try? guests()) != nil }, "\(sensor.complained)")
        let web = try #require(try guests().guests.first { $0.name == "web" })
        #expect(web.platform == "libvirt" && web.shadow && web.state == "running")
        #expect(try guests().guests.contains { $0.name == "dns0" && $0.platform == "file" })
        // Neighbour discovery tells its address.
        try lab.expectAnswers(3, from: lab.guest("web"), to: lab.client.ipv6)
        #expect(
            eventually(within: .seconds(3)) {
                (try? guests().guests.first { $0.name == "web" }?.addresses.map(\.address)) == [
                    lab.guest("web").ipv6
                ]
            })
    }
}
