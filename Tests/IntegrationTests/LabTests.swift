import Foundation
import Lab
import Testing

extension Integration {
    /// What the other tests stand on.
    @Suite(.serialized)
    struct TheLab {
        init() throws { try Requirements.root() }

        /// A fresh machine has none of them: `make` must install what the lab asks for.
        @Test func makeInstallsEveryProgram() throws {
            let install = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../.ci/install")
            let words = try String(contentsOf: install, encoding: .utf8).split { $0.isWhitespace || $0 == "\"" }
            for (program, package) in Requirements.packages where package != "coreutils" {
                #expect(words.contains(Substring(package)), "\(program)")
            }
        }

        @Test func machinesReachEachOther() throws {
            let lab = try Lab.start()
            defer { lab.stop() }
            try lab.expectAnswers(3, from: lab.client, to: lab.guest("web").ipv4)
            try lab.expectAnswers(3, from: lab.outside, to: lab.guest("dns").ipv6)
            try lab.expectAnswers(3, from: lab.host, to: lab.guest("smb").ipv4)
        }

        @Test func groundTruthCountsWhatIsSentAndWhatArrives() throws {
            try Requirements.programs()
            let lab = try Lab.start()
            defer { lab.stop() }
            let truth = try GroundTruth.install(in: lab)
            let (from, to) = (lab.outside, lab.guest("quiet"))
            for attack in [
                Attack.tcp(from: from, to: to, rate: 1000, seconds: 0.1),
                .udp(from: from, to: to, rate: 1000, seconds: 0.2),
                .fragment(from: from, to: to, rate: 1000, seconds: 0.3),
            ] {
                #expect(try attack.start().wait(atMost: .seconds(3)) != nil)
            }
            let sent = try truth.sent(by: from)
            // A program that got no processor is stopped before it has sent all: what both ends count must agree.
            #expect((1...100).contains(sent.tcp))
            #expect((1...200).contains(sent.udp))
            #expect((1...300).contains(sent.fragment))
            let arrived = try truth.arrived(at: to)
            #expect(arrived.tcp == sent.tcp)
            #expect(arrived.udp == sent.udp)
            #expect(arrived.fragment == sent.fragment)
            #expect(arrived.syn == 0)
        }

        @Test func takingDownLeavesNothing() throws {
            let lab = try Lab.start()
            let sleeper = try lab.guest("web").start(["sleep", "60"], limit: nil)
            let stubborn = try lab.host.start(
                ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], limit: .seconds(60))
            #expect(FileManager.default.fileExists(atPath: lab.directory))
            lab.stop()
            #expect(sleeper.ended != nil)
            #expect(stubborn.wait(atMost: .seconds(1)) != nil)
            #expect(!FileManager.default.fileExists(atPath: lab.directory))
            let prefix = lab.host.namespace.name.replacingOccurrences(of: "-host", with: "-")
            let left = try FileManager.default.contentsOfDirectory(atPath: "/run/netns")
            #expect(!left.contains { $0.hasPrefix(prefix) })
        }

        /// What a killed process left is removed by the next lab; what a living one has is not.
        @Test func aNewLabSweepsDeadOnesOnly() throws {
            let living = try Lab.start()
            defer { living.stop() }
            // No process has this id: it is beyond the largest that Linux gives out.
            let dead = "fl-99999999-1-web"
            try Command.run(["ip", "netns", "add", dead])
            let orphan = try Program.start(["ip", "netns", "exec", dead, "sleep", "60"])
            let next = try Lab.start()
            defer { next.stop() }
            let names = try FileManager.default.contentsOfDirectory(atPath: "/run/netns")
            #expect(!names.contains(dead))
            #expect(orphan.wait(atMost: .seconds(1)) != nil)
            #expect(names.contains(living.host.namespace.name))
        }
    }
}
