import Glibc
import Inventory
import Synchronization

/// Reads who is on this host, on a thread of its own, whenever an interface or a platform's file has changed.
///
/// The kernel tells of interfaces at once; files are looked at twice a second.
final class InventoryWatch: Sendable {
    struct View: Sendable, Equatable {
        var inventory = Inventory()
        var links = LinkTable([])
    }

    private struct State {
        var sources: [PlatformSource]
        var isFresh = true
        var latest: View?
        var isStopping = false
    }

    private let state: Mutex<State>

    /// Milliseconds between two looks at the files, and for which a guest's changes are waited for to be over: one that
    /// starts makes several.
    private static let interval = 500
    private static let settling = 30

    init(_ sources: [PlatformSource]) { state = Mutex(State(sources: sources)) }

    func start() {
        _ = Thread.start(named: "inventory") { [self] in
            run()
            pthread_detach(pthread_self())
        }
    }

    func stop() { state.withLock { $0.isStopping = true } }

    /// Other sources from now on.
    func read(_ sources: [PlatformSource]) {
        state.withLock { state in
            guard state.sources != sources else { return }
            state.sources = sources
            state.isFresh = true
        }
    }

    /// What has come to be known since it was last asked; nil for nothing.
    func take() -> View? {
        state.withLock { state in
            defer { state.latest = nil }
            return state.latest
        }
    }

    static func look(_ sources: [PlatformSource]) -> View {
        var view = View()
        do throws(InventoryProblem) {
            view.links = try LinkTable.read()
        } catch {
            view.inventory.problems.append(error)
        }
        let problems = view.inventory.problems
        view.inventory = Inventory.read(sources, view.links)
        view.inventory.problems += problems
        return view
    }

    private func run() {
        do throws(InventoryProblem) {
            follow(try LinkWatch())
        } catch {
            followFiles()
        }
    }

    private func follow(_ links: borrowing LinkWatch) {
        var seen = Seen()
        while true {
            links.wait(atMost: InventoryWatch.interval)
            let changed = links.hasChanged()
            if changed {
                usleep(UInt32(InventoryWatch.settling) * 1000)
                _ = links.hasChanged()
            }
            guard look(&seen, changed) else { return }
        }
    }

    /// Without word of interfaces they are asked for each time.
    private func followFiles() {
        var seen = Seen()
        while look(&seen, true) { usleep(UInt32(InventoryWatch.interval) * 1000) }
    }

    private struct Seen {
        var stamp: PlatformStamp?
        var view: View?
    }

    /// False when it is time to leave.
    private func look(_ seen: inout Seen, _ changed: Bool) -> Bool {
        let (sources, isFresh, isStopping) = state.withLock { state in
            defer { state.isFresh = false }
            return (state.sources, state.isFresh, state.isStopping)
        }
        guard !isStopping else { return false }
        let stamp = PlatformStamp(sources)
        guard changed || isFresh || stamp != seen.stamp else { return true }
        let view = InventoryWatch.look(sources)
        seen.stamp = stamp
        guard view != seen.view else { return true }
        seen.view = view
        state.withLock { $0.latest = view }
        return true
    }
}
