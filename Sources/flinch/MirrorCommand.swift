import ArgumentParser
import Control
import Foundation

struct MirrorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror", abstract: "Copy a bridge's traffic to an interface that the sensor listens to.",
        discussion: """
            By tc's mirred, for guests that are watched and not filtered. The configuration names the interface: \
            mirror: {interfaces: [flinch-mirror]}. Whole bridges can also be listened to as they are: \
            mirror: {interfaces: [br0]}.
            """,
        subcommands: [Install.self, Remove.self, Status.self])

    struct Options: ParsableArguments {
        @Option(help: "The interface that the copies go to; made if there is none.")
        var to = PortMirror.standard

        func validate() throws {
            guard (1...13).contains(to.utf8.count), !to.contains("/"), !to.contains(" "), !to.hasPrefix("-") else {
                throw ValidationError(
                    "'\(to)' is no name for an interface to be made: 1 to 13 bytes, no blank, no slash")
            }
        }
    }

    struct Install: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin to copy; twice is the same as once.",
            discussion: """
                Of a bridge each frame that passes it is copied once. Of a port, all that its guest sends and gets; \
                for several guests of one bridge mirror the bridge. Ports that a bridge gets later are taken up by \
                another install.
                """)
        @OptionGroup var options: Options
        @Argument(help: "A bridge, or a port of one.")
        var target: String

        func run() throws {
            let isChanged = try PortMirror(interface: options.to).install(target)
            print(isChanged ? "\(target) is mirrored to \(options.to)" : "already mirrored, nothing changed")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End it; without a name, for all. The interface that was made goes with the last.")
        @OptionGroup var options: Options
        @Argument(help: "The bridge or the port.")
        var target: String?

        func run() throws {
            print(try PortMirror(interface: options.to).remove(target) ? "removed" : "there was nothing to remove")
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what is copied where.")
        @Flag(help: "Print it as JSON.")
        var json = false

        func run() throws {
            let (places, missing) = try PortMirror.status()
            if json {
                let list = places.map { ["device": $0.device, "direction": $0.hook, "to": $0.to] }
                let data = try JSONSerialization.data(
                    withJSONObject: ["mirrored": list, "missing": missing], options: .sortedKeys)
                return print(String(decoding: data, as: UTF8.self))
            }
            if places.isEmpty { print("Nothing is mirrored.") }
            for place in places { print("\(place.device)  \(place.hook)  → \(place.to)") }
            if !missing.isEmpty {
                print("Not mirrored, though their bridge is: \(missing.joined(separator: ", ")); install it again.")
            }
        }
    }
}
