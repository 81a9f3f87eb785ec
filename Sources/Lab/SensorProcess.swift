import CLinux
import Control
import Foundation

/// The real `flinchd`, run in the lab's host.
public final class SensorProcess: Sendable {
    public let lab: Lab
    public let program: Program
    public let eve: EveLog
    /// Path of its control socket.
    public let control: String
    private let binaries: Binaries

    /// Starts it and returns when it inspects: when its control socket answers.
    ///
    /// - Throws: `LabError` with what it said when it ends instead.
    public static func start(
        in lab: Lab, _ configuration: SensorConfiguration = SensorConfiguration(), binaries: Binaries
    ) throws -> SensorProcess {
        let sensor = try launch(in: lab, configuration, binaries: binaries)
        let ready = eventually(within: .seconds(15), every: .milliseconds(10)) {
            sensor.program.ended != nil || (try? sensor.status()) != nil
        }
        guard ready, sensor.program.ended == nil else {
            let said = sensor.program.complained
            sensor.program.stop()
            throw LabError("flinchd did not start:\n\(said)")
        }
        return sensor
    }

    /// Starts it without waiting for anything, for tests of what it says when it cannot start.
    public static func launch(
        in lab: Lab, _ configuration: SensorConfiguration = SensorConfiguration(), binaries: Binaries
    ) throws -> SensorProcess {
        let file = try write(configuration, lab, binaries)
        let priority = configuration.hasServicePriority ? Program.servicePriority : []
        let program = try lab.host.start(priority + [binaries.flinchd, "--config", file], limit: nil)
        return SensorProcess(
            lab: lab, program: program, eve: EveLog(path: configuration.eve ?? lab.file("eve.json")),
            control: configuration.control ?? lab.file("flinchd.sock"), binaries: binaries)
    }

    private init(lab: Lab, program: Program, eve: EveLog, control: String, binaries: Binaries) {
        self.lab = lab
        self.program = program
        self.eve = eve
        self.control = control
        self.binaries = binaries
    }

    private static func write(
        _ configuration: SensorConfiguration, _ lab: Lab, _ binaries: Binaries
    ) throws -> String {
        var configuration = configuration
        if configuration.ruleFiles.isEmpty { configuration.ruleFiles = [try binaries.rules] }
        // A second sensor in the lab has a control socket of its own, and so a file of its own.
        let name = configuration.control.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "flinch"
        return try lab.write(configuration.yaml(for: lab), to: "\(name).yaml")
    }

    /// What it says of itself.
    public func status() throws -> Status {
        let document = try ControlClient.request(path: control, "status")
        return try JSONDecoder().decode(Status.self, from: Data(document))
    }

    /// Puts another configuration into its file, and tells nobody. Returns the file.
    @discardableResult
    public func write(_ configuration: SensorConfiguration) throws -> String {
        try Self.write(configuration, lab, binaries)
    }

    /// What `flinch policy …` prints about it.
    public func policy(_ words: String...) throws -> String { try ask(["policy"] + words) }

    /// Moves a guest, as `flinch mode` does.
    @discardableResult
    public func move(_ guest: String, to mode: String) throws -> String { try ask(["mode", guest, mode]) }

    private func ask(_ words: [String]) throws -> String {
        let command = [binaries.flinch] + words + ["--control", control]
        return try Command.run(["ip", "netns", "exec", lab.host.namespace.name] + command, limit: .seconds(20))
    }

    /// Gives it another configuration and asks it to reload (SIGHUP); returns when it has taken it over or
    /// refused it.
    public func reload(_ configuration: SensorConfiguration) throws {
        let before = try status().rules
        try write(configuration)
        program.send(SIGHUP)
        let done = eventually(within: .seconds(10), every: .milliseconds(20)) {
            guard let now = try? status().rules else { return false }
            return now.generation != before.generation || now.lastError != before.lastError
        }
        guard done else { throw LabError("flinchd did not reload:\n\(program.complained)") }
    }

    /// SIGTERM, and how it ended; nil when it did not within five seconds.
    @discardableResult
    public func terminate() -> Program.Ending? {
        program.send(SIGTERM)
        return program.wait(atMost: .seconds(5))
    }
}

/// Where the sensor's programs and rules are.
public struct Binaries: Sendable {
    public let directory: String

    public var flinchd: String { "\(directory)/flinchd" }
    public var flinch: String { "\(directory)/flinch" }

    /// In FLINCH_BIN, or else beside the program that runs.
    public static func find() throws -> Binaries {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = [own, CommandLine.arguments.first ?? ""].map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().path
        }
        let places = (ProcessInfo.processInfo.environment["FLINCH_BIN"].map { [$0] } ?? beside)
        for place in places where unsafe access("\(place)/flinchd", X_OK) == 0 {
            return Binaries(directory: place)
        }
        throw LabError("no flinchd in \(places.joined(separator: " or ")): swift build, or set FLINCH_BIN")
    }

    /// The starter rules: of the package that the programs were built from, or as installed.
    public var rules: String {
        get throws {
            var places = ["/usr/share/flinch/rules/starter.rules", "/etc/flinch/rules/starter.rules"]
            var folder = URL(fileURLWithPath: directory)
            while folder.path != "/" {
                places.insert(
                    folder.appendingPathComponent("Sources/Signatures/Rules/starter.rules").path, at: 0)
                folder.deleteLastPathComponent()
            }
            guard let file = places.first(where: { FileManager.default.isReadableFile(atPath: $0) }) else {
                throw LabError("starter.rules is neither beside the sources nor in /usr/share/flinch/rules")
            }
            return file
        }
    }
}

extension Program {
    /// What a program is started with to have the priority of the sensor's service.
    static let servicePriority = ["nice", "-n", "-10"]
}
