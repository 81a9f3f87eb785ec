import Control
import Synchronization

/// Where a reload is ordered and how it ended is told: the control socket's thread asks, the main thread acts.
final class ReloadDesk: Sendable {
    /// Who wants it, how and why.
    struct Order: Sendable {
        var who = ""
        var how: String
        var comment = ""
    }

    private struct State {
        var order: Order?
        var isBusy = false
        var outcome = ReloadOutcome()
    }

    private let state = Mutex(State())

    /// Returns how many reloads had ended before; nil if one is under way.
    func place(_ order: Order) -> Int? {
        state.withLock { state in
            guard !state.isBusy else { return nil }
            state.isBusy = true
            state.order = order
            return state.outcome.finished
        }
    }

    /// The order that waits.
    func take() -> Order? {
        state.withLock { state in
            defer { state.order = nil }
            return state.order
        }
    }

    func finish(problem: String?, needRestart: [String] = [], number: Int) {
        state.withLock { state in
            state.isBusy = false
            state.outcome = ReloadOutcome(
                finished: state.outcome.finished + 1, problem: problem, needRestart: needRestart, number: number)
        }
    }

    var outcome: ReloadOutcome { state.withLock { $0.outcome } }
}
