import Foundation

/// When the first packet of an attack came in by a port, before the bridge saw it.
public struct Sighting: Sendable {
    private let program: Program

    /// Watches for the first packet that the filter (pcap-filter(7)) matches; returns when it is watching.
    public static func watch(_ port: String, of host: Machine, filter: String) throws -> Sighting {
        let program = try host.start(
            [
                "tcpdump", "-i", port, "-n", "-tt", "-c", "1", "-s", "64", "--immediate-mode", "-Q", "in",
                filter,
            ],
            limit: .seconds(30))
        guard program.waitUntilItSays("listening on", atMost: .seconds(5)) else {
            throw LabError("tcpdump does not watch \(port): \(program.complained)")
        }
        return Sighting(program: program)
    }

    /// Seconds since the Unix epoch, as the kernel stamped the packet; nil when none came in time.
    public func time(atMost limit: Duration = .seconds(3)) -> Double? {
        guard program.wait(atMost: limit) != nil else {
            program.stop(patience: .zero)
            return nil
        }
        return program.printed.split(separator: " ").first.flatMap { Double($0) }
    }
}
