import Behaviour
import CLinux
import Configuration
import Control
import Dispatch
import Events
import Logging
import Synchronization

/// What outlives the sensor: read when it starts, written at its end, and now and then in between, so that a crash loses
/// no more than came since.
///
/// Written in between by a thread of its own: the controller's has no time for disks.
final class StateKeeper: Sendable {
    private let learnedFile: StateFile<Learned>
    private let shadowFile: StateFile<ShadowFigures>
    private let controller: Controller
    private let shadow: ShadowLedger
    private let log: Logger
    private let isOver = DispatchSemaphore(value: 0)
    private let state = Mutex(State())

    private struct State {
        var thread: ServiceThread?
        /// What of the ledger is on disk.
        var revision: UInt64 = 0
        /// Why each could not be written the last time: said once.
        var problems: [String: String] = [:]
    }

    /// Seconds between two looks at what shadow mode lets pass, which is little; and looks for each at what was
    /// learned, which is much and grows slowly.
    private static let period = 10
    private static let looks = 60

    /// `folder` is that of what must outlive the sensor.
    init(folder: String, _ controller: Controller, _ shadow: ShadowLedger, _ log: Logger) {
        learnedFile = StateFile(state: folder, "behaviour.json")
        shadowFile = StateFile(state: folder, "shadow.json")
        self.controller = controller
        self.shadow = shadow
        self.log = log
    }

    /// Goes on from what was kept, and keeps it from then on.
    func start(_ settings: Settings) {
        recallLearned()
        recallShadow(settings)
        do {
            let thread = try ServiceThread(name: "state") { [self] in run() }
            state.withLock { $0.thread = thread }
        } catch {
            log.warning("\(error): what was learned of guests and what shadow mode lets pass is kept at the stop only")
        }
    }

    /// From then on nothing is written but by whoever asks for it.
    func stop() {
        let thread = state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }
        guard let thread else { return }
        isOver.signal()
        thread.join()
    }

    private func run() {
        var look = 0
        while isOver.wait(timeout: .now() + .seconds(StateKeeper.period)) == .timedOut {
            look += 1
            keepShadow()
            if look % StateKeeper.looks == 0 { keepLearned() }
        }
    }

    // MARK: - What was learned of guests

    private func recallLearned() {
        do {
            guard let learned = try learnedFile.read() else { return }
            if let count = controller.recall(learned, flinch_now()) {
                log.notice("\(count) relationships of guests are known from before")
            } else {
                log.warning("\(learnedFile.path) is of another version; guests are learned from anew")
            }
        } catch {
            log.warning("\(learnedFile.path) cannot be read (\(error)); guests are learned from anew")
        }
    }

    func keepLearned() {
        write("what was learned of guests") { try learnedFile.write(controller.learned) }
    }

    // MARK: - What shadow mode lets pass

    private func recallShadow(_ settings: Settings) {
        do {
            if let figures = try shadowFile.read() { shadow.recall(figures, settings) }
        } catch {
            log.warning("\(shadowFile.path) cannot be read (\(error)); what shadow mode lets pass is counted anew")
        }
    }

    /// Unless it is on disk as it is.
    func keepShadow() {
        let revision = shadow.revision
        guard state.withLock({ $0.revision != revision }) else { return }
        write("what shadow mode let pass") {
            try shadowFile.write(shadow.figures)
            state.withLock { $0.revision = revision }
        }
    }

    private func write(_ what: String, _ body: () throws -> Void) {
        var problem: String?
        do { try body() } catch { problem = "\(error)" }
        let isNew = state.withLock { state in
            defer { state.problems[what] = problem }
            return state.problems[what] != problem
        }
        if let problem, isNew { log.warning("\(what) cannot be kept: \(problem)") }
    }
}
