import CLinux
import Logging

/// What outlives the sensor: read at its start, written at its end.
extension Sensor {
    /// What was learned of guests before. Without it they are learned from anew.
    func recall() {
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
        do {
            try learnedFile.write(controller.learned)
        } catch {
            log.warning("what was learned of guests cannot be kept: \(error)")
        }
    }

    func recallShadow() {
        do {
            if let figures = try shadowFile.read() { shadow.recall(figures, program.settings) }
        } catch {
            log.warning("\(shadowFile.path) cannot be read (\(error)); what shadow mode lets pass is counted anew")
        }
    }

    func keepShadow() {
        do {
            try shadowFile.write(shadow.figures)
        } catch {
            log.warning("what shadow mode let pass cannot be kept: \(error)")
        }
    }
}
