import Configuration
import Intake
import Logging
import Offload
import Signatures

/// What the log says of a sensor that starts, and of a configuration that it takes over.
extension Sensor {
    func announce(_ settings: Settings, _ bound: UInt64) {
        report(program)
        if let problem = history.problem { log.warning("configurations are not kept for a rollback: \(problem)") }
        if let problem = program.rules.cacheProblem { log.warning("\(problem)") }
        for member in crew.queues {
            guard let queue = member.queue else { continue }
            var line = "queue \(queue.number) on core \(member.core), "
            line += "receive buffer \(queue.setup.grantedBuffer >> 20) MiB"
            if queue.setup.bufferLimited {
                line +=
                    " (wanted \(settings.queues.receiveBuffer >> 20): needs CAP_NET_ADMIN or a higher "
                    + "net.core.rmem_max)"
            }
            log.notice("\(line)")
        }
        if let mirror = settings.mirror {
            log.notice(
                "listening to \(mirror.interfaces.joined(separator: ", ")) on core \(crew.listeners.map { "\($0.core)" }.joined(separator: ", ")), rings of \(mirror.ring >> 20) MiB each\(mirror.filter.map { ", only \($0)" } ?? "")"
            )
        }
        let flows = program.flowBytes
        log.notice(
            "\(settings.flows.count) flows in \(flows.records >> 20) MiB, their streams in \(flows.streams >> 20) MiB; segments that find no room: \(settings.flows.whenFull.rawValue)"
        )
        log.notice(
            "\(program.rules.rules.count) rules, \(settings.guests.count) guests, tables of \(bound >> 20) MiB at most; when stopped \(settings.divert.whenStopped.rawValue), when overloaded \(settings.divert.whenOverloaded.rawValue)\(settings.shadow ? "; SHADOW: everything passes" : "")"
        )
    }

    func report(_ program: Program) {
        let rules = program.rules
        for problem in program.handlingProblems { log.warning("\(problem)") }
        for problem in rules.problems {
            log.warning("rule not loaded: \(problem.file):\(problem.line): \(problem.reason)")
        }
        for problem in rules.thresholdProblems {
            log.warning("threshold not applied: \(problem.file):\(problem.line): \(problem.reason)")
        }
    }
}
