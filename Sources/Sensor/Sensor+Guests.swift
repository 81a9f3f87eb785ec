import CLinux
import Configuration
import Control
import Events
import Logging
import Topology
import Wire

/// Following the guests: one that starts, stops or gets another port has its policy within a second, by the way that a
/// reload takes, and nothing else changes by it.
extension Sensor {
    /// Nanoseconds between two compilations of the rules because guests have other addresses than before.
    private static let rulesInterval: UInt64 = 10_000_000_000

    /// Begins to follow, where the program does not know what is known of the guests.
    func follow() {
        let now = flinch_now()
        let isBehind = follower.step(
            program, sightings: program.takeSightings(), now, isQuiet: controller.isQuiet)
        guard reload == nil, now >= followAfter else { return }
        if isBehind {
            begin(compilesRules: false)
        } else if program.needsRules, now > rulesFollowed &+ Sensor.rulesInterval {
            rulesFollowed = now
            begin(compilesRules: true)
        }
    }

    private func begin(compilesRules: Bool) {
        isFollowing = true
        reload = Reload(
            following: follower.guests, text: text, path: path, workers: crew.members.count,
            listeners: crew.listeners.count, former: program, compilesRules: compilesRules)
    }

    func finishFollowing(_ outcome: Reload.Outcome) {
        do {
            guard case .following(let next) = outcome else {
                if case .refused(let why) = outcome { complain(why) }
                return
            }
            let before = program
            // The kernel's rules name guests that are watched, and those that a policy excludes, by their addresses.
            let isDivertedAnew =
                next.settings.divert != before.settings.divert
                || next.settings.watchedTraffic != before.settings.watchedTraffic
            try takeOver(next, isDivertedAnew ? KernelRules(next.settings, workers: cores.count) : nil)
            followProblem = nil
            tell(before, next)
        } catch {
            complain("\(error)")
        }
    }

    /// Once for a reason that lasts. It is tried again, but not at once.
    private func complain(_ why: String) {
        followAfter = flinch_now() &+ 5_000_000_000
        if why != followProblem { log.error("the guests cannot be followed, and stay as they were:\n\(why)") }
        followProblem = why
    }

    private func tell(_ before: Program, _ now: Program) {
        let known = Dictionary(before.found.map { ($0.name, $0) }) { first, _ in first }
        for guest in now.found {
            let former = known[guest.name]
            let fresh = guest.addresses.filter { former?.addresses.contains($0) != true }
            let (ports, old) = (indices(guest.ports, now), indices(former?.ports ?? [], before))
            guard former == nil || ports != old || !fresh.isEmpty else { continue }
            let place = guest.ports.isEmpty ? "no port" : guest.ports.joined(separator: ", ")
            let addresses = guest.addresses.map(\.description).joined(separator: ", ")
            log.notice("guest \(guest.name): \(place); \(addresses.isEmpty ? "no address is known yet" : addresses)")
        }
    }

    private func indices(_ ports: [String], _ program: Program) -> [UInt32] { ports.map { program.ports[$0] ?? 0 } }
}
