import CLinux
import Configuration
import Control
import Events
import Inspection
import Logging
import Signatures
import Sinks

/// A reload, ordered by a signal or the control socket: prepared on a thread of its own, and taken over between two
/// batches of packets.
extension Sensor {
    func orderReload(by sender: Peer) {
        guard desk.place(ReloadDesk.Order(who: sender.name, how: "SIGHUP")) != nil else {
            log.warning("a reload is under way already; send SIGHUP again when it is done")
            return
        }
        // One that follows the guests may be under way; it is over in a moment.
        if reload == nil, let order = desk.take() { startReload(order) }
    }

    func startReload(_ order: ReloadDesk.Order) {
        self.order = order
        Notify.reloading()
        log.notice("reloading \(path): \(order.how)\(order.who.isEmpty ? "" : " by \(order.who)")")
        reload = Reload(
            path: path, workers: crew.members.count, listeners: crew.listeners.count, former: program,
            found: follower.guests)
    }

    func finishReload() {
        guard let outcome = reload?.finished else { return }
        reload = nil
        guard !isFollowing else {
            isFollowing = false
            finishFollowing(outcome)
            return
        }
        switch outcome {
        case .following: break
        case .refused(let why):
            controller.refuseReload(why)
            log.error("reload refused, the old configuration stays:\n\(why)")
            desk.finish(problem: why, number: history.running.number)
        case .ready(let next, let text, let needRestart):
            do {
                try adopt(next)
                self.text = text
                follower.adopt(next.settings.discovery)
                let change = history.record(text: text, path: path, order, time: flinch_now())
                desk.finish(problem: nil, needRestart: needRestart, number: change.number)
                if let problem = history.problem {
                    log.warning("the configuration is not kept for a rollback: \(problem)")
                }
                log.notice("reloaded: \(next.rules.rules.count) rules, \(next.settings.guests.count) guests")
                report(next)
                if !needRestart.isEmpty {
                    log.warning("only a restart takes over: \(needRestart.joined(separator: ", "))")
                }
            } catch {
                desk.finish(problem: "\(error)", number: history.running.number)
                controller.refuseReload("\(error)")
                log.error("reload refused, the old configuration stays: \(error)")
            }
        }
        Notify.ready(status: "inspecting")
    }

    func adopt(_ next: Program) throws {
        let nextRules = try KernelRules(next.settings, workers: cores.count)
        let mirror = try crew.prepare(next.settings.mirror)
        try sinks.adopt(next.settings.allSinks)
        try takeOver(next, nextRules)
        try crew.commit(mirror)
    }

    /// Takes over a program, with other kernel rules where it was not made only for what is known of the guests now.
    func takeOver(_ next: Program, _ nextRules: KernelRules?) throws {
        let (tally, heard, cores) = (tally, heard, cores)
        collector.add(names: next.names, generation: next.generation)
        shadow.adopt(next)
        let former = program
        let moves = next.movesGuests(from: former)
        // While a guest moves, the mirror has it on both sides of the change of the rules: rather twice than not.
        try crew.adopt {
            try next.inspector(for: $0, tally: $0 < cores.count ? tally : heard, former: moves ? former : nil)
        }
        // Its orders are about the slots of the former tables.
        if nextRules != nil || next.floods !== program.floods { offload.clear() }
        report(controller.adopt(next, flinch_now(), isFollowing: nextRules == nil))
        program = next
        denials.adopt(next)
        guard let nextRules else { return }
        try nextRules.install(log)
        rules = nextRules
        if moves {
            try crew.adopt(since: flinch_now()) { try next.inspector(for: $0, tally: $0 < cores.count ? tally : heard) }
        }
        offload = KernelOffload(rules, log)
        // The former program is gone, and what was read for this one.
        flinch_trim_memory()
    }
}
