import ArgumentParser
import CLinux
import Configuration
import Foundation
import Offload

struct DivertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "divert", abstract: "The kernel rules that send bridge traffic to the sensor.",
        discussion: "The daemon installs and removes them by itself; these commands are for looking and repair.",
        subcommands: [Print.self, Install.self, Remove.self, Status.self])

    /// The configuration that the rules follow.
    struct Plan: ParsableArguments {
        @Option(help: "The sensor's configuration.")
        var config = "/etc/flinch/flinch.yaml"
        @Option(help: "auto, bridge or inet; the configuration's unless given.")
        var backend: String?

        func diversion() throws -> (Diversion, Offload.Backend) {
            let settings = try Settings.load(path: config)
            let workers = settings.workerCores(usable: UsableCores.list).count
            let diversion = try Diversion(plan: settings.diversionPlan(workers: workers))
            let wanted = backend ?? settings.divert.backend.rawValue
            switch wanted {
            case "bridge": return (diversion, .bridge)
            case "inet": return (diversion, .inet)
            case "auto", "none": return (diversion, try Offload.Backend.detect())
            default: throw ValidationError("--backend takes auto, bridge or inet")
            }
        }
    }

    struct Print: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the rules as nft takes them.")
        @OptionGroup var plan: Plan

        func run() throws {
            let (diversion, backend) = try plan.diversion()
            print(diversion.render(backend))
        }
    }

    struct Install: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put the rules in force; twice is the same as once.")
        @OptionGroup var plan: Plan

        func run() throws {
            let (diversion, backend) = try plan.diversion()
            let outcome = try diversion.install(backend)
            let text =
                switch outcome {
                case .installed: "installed"
                case .alreadyInstalled: "already installed, nothing changed"
                case .replaced: "replaced"
                }
            print("\(text) (\(backend.rawValue) backend)")
            for note in diversion.notes(backend) { Complaint.say("note: \(note)") }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take the rules away; the bridge forwards as if Flinch were not there.")

        func run() throws {
            try Diversion.quiesce()
            print(try Diversion.remove() ? "removed" : "there was nothing to remove")
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say which rules are in force, and what they counted.")
        @Flag(help: "Print it as JSON.")
        var json = false

        func run() throws {
            let status = try Diversion.status()
            print(json ? status.json : status.text)
        }
    }
}
