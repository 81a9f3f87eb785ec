import CLinux
import Control
import Foundation
import Synchronization
import Wire

/// Tells another sensor, by its control socket, whom to deny. On a thread of its own with a bounded queue, because the
/// other may not answer; what cannot be delivered within `patience` is counted.
final class DenialCourier: Sendable {
    private struct Errand {
        var source: Address
        var seconds: Int
        var due: UInt64
    }

    private struct State {
        var errands: [Errand] = []
        var figures: Status.Denials.Sensor
        var isStopping = false
    }

    let path: String
    private let name: String
    private let state: Mutex<State>

    static let capacity = 256
    /// Nanoseconds for which it is tried.
    private static let patience: UInt64 = 10_000_000_000
    /// Milliseconds that the other has for its answer.
    private static let timeout: UInt64 = 1000

    /// `name`: this sensor's, for the other's people.
    init(path: String, name: String) {
        self.path = path
        self.name = String(name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }.prefix(64))
        state = Mutex(State(figures: Status.Denials.Sensor(path: path)))
        _ = Thread.start(named: "denials") { [self] in
            run()
            pthread_detach(pthread_self())
        }
    }

    /// Leaves what waits undelivered.
    func stop() { state.withLock { $0.isStopping = true } }

    var figures: Status.Denials.Sensor {
        state.withLock { state in
            var figures = state.figures
            figures.waiting = state.errands.count
            return figures
        }
    }

    func post(_ source: Address, seconds: Int) {
        state.withLock { state in
            guard state.errands.count < DenialCourier.capacity else {
                state.figures.undelivered &+= 1
                return
            }
            state.errands.append(
                Errand(source: source, seconds: seconds, due: flinch_monotonic() &+ DenialCourier.patience))
        }
    }

    private func run() {
        while true {
            let (errand, isStopping) = state.withLock { ($0.errands.first, $0.isStopping) }
            if isStopping { return }
            guard let errand else {
                usleep(50_000)
                continue
            }
            let problem = deliver(errand)
            let isOver = problem.isFinal || flinch_monotonic() > errand.due
            state.withLock { state in
                state.figures.problem = problem.text
                guard isOver else { return }
                state.errands.removeFirst()
                if problem.text == nil { state.figures.delivered &+= 1 } else { state.figures.undelivered &+= 1 }
            }
            if !isOver { usleep(500_000) }
        }
    }

    /// What went wrong, and whether another attempt would not help.
    private func deliver(_ errand: Errand) -> (text: String?, isFinal: Bool) {
        do throws(ControlError) {
            let answer = try ControlClient.request(
                path: path, "deny \(errand.source) \(errand.seconds) sensor \(name)", timeout: DenialCourier.timeout)
            let refusal = (try? JSONDecoder().decode([String: String].self, from: Data(answer)))?["error"]
            return (refusal, true)
        } catch {
            return ("\(error)", false)
        }
    }
}
