import CLinux
import Configuration
import Inventory
import Logging
import Synchronization
import Topology
import Wire

/// Knows the guests that platforms tell of, and what was learned of their addresses, and whether the program does.
///
/// Stepped by the main thread; the control socket's asks who there is.
final class GuestFollower: Sendable {
    private struct State {
        var roster: GuestRoster
        var learning: AddressLearning
        var links: LinkTable
        var goneSince: UInt64?
        var told: Set<InventoryProblem> = []
        /// As it was last written.
        var kept: [GuestRoster.Kept]
        /// The last answer, and the program that it was about; nil where something has come to be known since.
        var answer: (program: ObjectIdentifier, isBehind: Bool)?
    }

    private let watch: InventoryWatch
    private let state: Mutex<State>
    private let log: Logger

    /// Nanoseconds for which the place of a guest that its platform knows no more is kept.
    private static let patience: UInt64 = 60_000_000_000

    /// What is learned of guests' addresses, for the next start.
    private let file: StateFile<[GuestRoster.Kept]>

    /// Looks for guests once, and follows them from `start` on. `folder` is that of what outlives the sensor.
    init(_ discovery: Settings.Discovery, state folder: String, log: Logger) {
        self.log = log
        file = StateFile(state: folder, "addresses.json")
        watch = InventoryWatch(discovery.sources)
        let view = InventoryWatch.look(discovery.sources)
        var roster = GuestRoster(learning: discovery.learn.addresses)
        roster.take(view.inventory)
        do {
            roster.recall(try file.read() ?? [], flinch_now())
        } catch {
            log.warning("\(file.path) cannot be read (\(error)); guests' addresses are learned anew")
        }
        let kept = roster.kept
        state = Mutex(State(roster: roster, learning: discovery.learn.addresses, links: view.links, kept: kept))
        complain()
    }

    func start() { watch.start() }
    func stop() { watch.stop() }

    /// The guests that were found, each in its place.
    var guests: [Guest] { state.withLock { $0.roster.guests } }

    var roster: GuestRoster { state.withLock { $0.roster } }

    /// The interfaces of this host, as they were in the last step.
    var links: LinkTable { state.withLock { $0.links } }

    /// Writes down what was learned, if it is another than was written last.
    func keep() {
        let fresh = state.withLock { state -> [GuestRoster.Kept]? in
            let kept = state.roster.kept
            guard kept != state.kept else { return nil }
            state.kept = kept
            return kept
        }
        guard let fresh else { return }
        do {
            try file.write(fresh)
        } catch {
            log.warning("what was learned of guests' addresses cannot be kept: \(error)")
        }
    }

    /// Other sources and another way to learn, as a reloaded file has them.
    func adopt(_ discovery: Settings.Discovery) {
        watch.read(discovery.sources)
        state.withLock { state in
            guard state.learning != discovery.learn.addresses else { return }
            state.learning = discovery.learn.addresses
            state.roster.learning = state.learning
        }
    }

    /// Takes what has come to be known. Returns whether the program is behind. `isQuiet`: no flood is open, so that
    /// places may be taken from guests that are gone.
    func step(_ program: Program, sightings: [Sighting], _ time: UInt64, isQuiet: Bool) -> Bool {
        let view = watch.take()
        let isBehind = state.withLock { state in
            if let view {
                state.roster.take(view.inventory)
                state.links = view.links
            }
            if !sightings.isEmpty {
                let names = Set(state.roster.members.map(\.entry.name))
                state.roster.take(sightings) { address in
                    program.guest(of: address).map { !names.contains(program.settings.guests[$0].guest.name) } ?? false
                }
            }
            let isTidied = isQuiet && GuestFollower.tidy(&state, time)
            let isNews = view != nil || !sightings.isEmpty || isTidied
            if !isNews, let answer = state.answer, answer.program == ObjectIdentifier(program) {
                return answer.isBehind
            }
            let isBehind =
                state.roster.guests != program.found
                || program.ports.contains { (state.links[$0.key]?.index ?? 0) != $0.value }
            state.answer = (ObjectIdentifier(program), isBehind)
            return isBehind
        }
        if view != nil { complain() }
        return isBehind
    }

    /// Returns whether anything has changed.
    private static func tidy(_ state: inout State, _ time: UInt64) -> Bool {
        let isExpired = state.roster.expire(time)
        guard state.roster.hasGone else {
            state.goneSince = nil
            return isExpired
        }
        let since = state.goneSince ?? time
        state.goneSince = since
        guard time > since + patience else { return isExpired }
        state.roster.compact()
        state.goneSince = nil
        return true
    }

    /// Says what is wrong with platforms' files, once for each.
    private func complain() {
        let fresh = state.withLock { state in
            let now = Set(state.roster.problems)
            defer { state.told = now }
            return state.roster.problems.filter { !state.told.contains($0) }
        }
        for problem in fresh.prefix(20) { log.warning("guests: \(problem)") }
        if fresh.count > 20 { log.warning("guests: and \(fresh.count - 20) more such problems") }
    }
}
