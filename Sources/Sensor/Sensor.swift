import CLinux
import Configuration
import Control
import Events
import Evidence
import Floods
import Foundation
import Glibc
import Inspection
import Logging
import Offload

/// One `flinchd`, from its start to its end.
///
/// The main thread is the controller: it steps ten times a second and takes signals in between. Each worker
/// has a thread, the writer of events has one, the control socket has one, and a reload is prepared on one.
public final class Sensor {
    private let path: String
    private let log: Logger
    private var settings: Settings
    private var program: Program
    private let cores: [Int]
    private let tally: Tally
    private let crew: Crew
    private let pump: EventPump
    private let diversion: KernelRules
    private let controller: Controller
    private let control: ControlServer
    private var reload: Reload?
    private let shared: SharedStatus

    /// What the control socket's thread needs, made before it.
    private final class SharedStatus: Sendable {
        let controller: Controller
        let base: Control.Status
        let pump: EventPump
        let crew: Crew

        init(controller: Controller, base: Control.Status, pump: EventPump, crew: Crew) {
            self.controller = controller
            self.base = base
            self.pump = pump
            self.crew = crew
        }

        func document() -> [UInt8] {
            var status = controller.fill(base)
            status.memoryResident = ThreadTimes.residentMemory()
            status.events = Control.Status.Events(
                written: pump.written, lostRing: crew.members.reduce(0) { $0 + $1.ring.lost },
                lostWrite: pump.lost, lastError: pump.lastError)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return (try? encoder.encode(status)).map(Array.init) ?? []
        }
    }

    /// Runs the sensor until a signal ends it. Returns the exit status.
    ///
    /// Throws what keeps it from starting: `ConfigurationErrors`, `RuleLoadError`, `IntakeError`,
    /// `OffloadError`, `ControlError`, `EVEFileError`. Nothing is then left behind.
    public static func run(path: String, log: Logger) throws {
        // Before any thread is started: all inherit the mask, and only the main thread takes signals.
        Signals.block()
        let sensor = try Sensor(path: path, log: log)
        sensor.loop()
        sensor.stop()
    }

    private init(path: String, log: Logger) throws {
        self.path = path
        self.log = log
        let settings = try Settings.load(path: path)
        self.settings = settings
        cores = settings.workerCores(usable: UsableCores.list)
        program = try Program(settings, workers: cores.count)
        tally = Tally(workerCount: cores.count)
        for problem in program.rules.problems {
            log.warning("rule not loaded: \(problem.file):\(problem.line): \(problem.reason)")
        }

        let rules = try KernelRules(settings, workers: cores.count)
        let bound = UInt64(
            program.memoryBytes
                + cores.count * (Queue.memoryBytes + EventRing.memory(capacity: settings.events.ring)))
        let program = program
        let tally = tally

        // The socket first: it is what shows that another sensor runs here.
        let control = try ControlServer(path: settings.sensor.control)
        let file = try EVEFile(path: settings.events.eve)
        let crew = try Crew(cores: cores, settings: settings) { try program.inspector(for: $0, tally: tally) }
        self.crew = crew
        self.control = control
        pump = EventPump(
            rings: crew.members.map(\.ring), file: file,
            encoder: EVEEncoder(names: program.names, sensor: settings.sensor.name))
        diversion = rules
        let unbound = rules.unboundSoFar()
        let before = try rules.install(log)
        controller = Controller(
            program: program, crew: crew, tally: tally,
            losses: KernelLosses(
                failOpen: settings.divert.whenOverloaded == .pass, divertedBefore: before,
                passedUnbound: unbound),
            time: flinch_now())
        let base = Control.Status.starting(settings, backend: rules.backend?.rawValue, bound: bound)
        shared = SharedStatus(controller: controller, base: base, pump: pump, crew: crew)
        let shared = shared
        control.start { request in request == "status" ? shared.document() : Array(#"{"error":"unknown request"}"#.utf8) }
        announce(bound)
    }
}
