import Behaviour
import Configuration
import Glibc
import Signatures
import Synchronization
import Topology

/// A configuration that is read and compiled on a thread of its own, because a large rule set takes seconds
/// and the controller has none to spare.
final class Reload: Sendable {
    enum Outcome: Sendable {
        /// And the file's text, and the names of settings that only a restart takes over.
        case ready(Program, text: String, needRestart: [String])
        case refused(String)
        /// The same configuration for the guests that there are now.
        case following(Program)
    }

    private let outcome = Mutex<Outcome?>(nil)

    /// Reads the file anew. `found` are the guests that platforms know.
    convenience init(path: String, workers: Int, listeners: Int, former: Program, found: [Guest]) {
        self.init { Reload.prepare(path, workers, listeners, former, found) }
    }

    /// The configuration that runs, whose text is given, for other guests; with the rules as they are unless they are to
    /// be compiled for these.
    convenience init(
        following found: [Guest], text: String, path: String, workers: Int, listeners: Int, former: Program,
        compilesRules: Bool
    ) {
        self.init { Reload.follow(found, text, path, workers, listeners, former, compilesRules) }
    }

    private init(_ prepare: @escaping @Sendable () -> Outcome) {
        _ = Thread.start(named: "reload") { [self] in
            let result = prepare()
            outcome.withLock { $0 = result }
            pthread_detach(pthread_self())
        }
    }

    /// nil while it is not finished.
    var finished: Outcome? { outcome.withLock { $0 } }

    private static func follow(
        _ found: [Guest], _ text: String, _ path: String, _ workers: Int, _ listeners: Int,
        _ former: Program, _ compilesRules: Bool
    ) -> Outcome {
        do {
            var settings = try Settings.parse(text: text, file: path, found: found)
            settings.keepWhatNeedsRestart(former.settings)
            return .following(
                try Program(
                    settings, workers: workers, former: former, listeners: listeners, found: found,
                    keepsRules: !compilesRules))
        } catch {
            return .refused("\(error)")
        }
    }

    private static func prepare(_ path: String, _ workers: Int, _ listeners: Int, _ former: Program, _ found: [Guest])
        -> Outcome
    {
        do {
            let text = try Settings.text(of: path)
            var settings = try Settings.parse(text: text, file: path, found: found)
            let needRestart = Settings.restartNeeded(former.settings, settings)
            settings.keepWhatNeedsRestart(former.settings)
            let program = try Program(
                settings, workers: workers, former: former, listeners: listeners, found: found)
            return .ready(program, text: text, needRestart: needRestart)
        } catch {
            return .refused("\(error)")
        }
    }
}

extension Settings {
    /// What cannot be changed in a running sensor stays as it was.
    mutating func keepWhatNeedsRestart(_ running: Settings) {
        sensor = running.sensor
        queues = running.queues
        let limits = events.limits
        events = running.events
        events.limits = limits
        evidence = running.evidence
        metrics = running.metrics
        behaviour.peers = running.behaviour.peers
        if let former = running.mirror, var now = mirror {
            // Threads and rings are made once.
            (now.workers, now.ring) = (former.workers, former.ring)
            mirror = now
        } else {
            mirror = running.mirror
        }
        divert.backend = running.divert.backend
        divert.whenOverloaded = running.divert.whenOverloaded
        divert.offload = running.divert.offload
    }

    /// Names of the settings that the file changed and that only a restart takes over.
    static func restartNeeded(_ running: Settings, _ file: Settings) -> [String] {
        var events = file.events
        // Of the events, their limits are taken over.
        events.limits = running.events.limits
        return [
            ("sensor", running.sensor != file.sensor), ("queues", running.queues != file.queues),
            ("events", running.events != events),
            ("behaviour.peers", running.behaviour.peers != file.behaviour.peers),
            ("evidence", running.evidence != file.evidence),
            ("metrics", running.metrics != file.metrics),
            ("mirror", (running.mirror == nil) != (file.mirror == nil)),
            ("mirror.workers", running.mirror != nil && running.listeners != file.listeners && file.mirror != nil),
            ("mirror.ring", running.mirror != nil && running.mirror?.ring != file.mirror?.ring && file.mirror != nil),
            ("divert.backend", running.divert.backend != file.divert.backend),
            ("divert.when-overloaded", running.divert.whenOverloaded != file.divert.whenOverloaded),
            ("divert.offload", running.divert.offload != file.divert.offload),
        ].filter(\.1).map(\.0)
    }
}
