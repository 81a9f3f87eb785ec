import CLinux
import Foundation
import Synchronization

/// The name of a lab and its claim to it: namespaces `fl-<pid>-<n>-…`, files in `/run/flinch-lab/<pid>-<n>`.
///
/// The claim is a lock on a file, which the kernel drops when the process ends, however it ends. A name
/// whose lock nobody holds is what a killed process left behind.
struct LabHold: Sendable {
    let name: String
    var prefix: String { "fl-\(name)-" }
    var directory: String { "\(Self.root)/\(name)" }
    private let lock: Int32

    private static let root = "/run/flinch-lab"
    private static let serial = Atomic<Int>(1)

    /// Removes what dead labs left, then claims a fresh name.
    static func take() throws -> LabHold {
        guard makeDirectory(root) else { throw LabError("cannot make \(root): \(lastError)") }
        // Nobody may look for dead labs between the making of a directory and the locking of it.
        guard let gate = acquire("\(root)/lock", waiting: true) else {
            throw LabError("cannot lock \(root)/lock: \(lastError)")
        }
        defer { close(gate) }
        sweep()
        let name = "\(getpid())-\(serial.wrappingAdd(1, ordering: .relaxed).oldValue)"
        let directory = "\(root)/\(name)"
        guard makeDirectory(directory), let lock = acquire("\(directory)/lock", waiting: false) else {
            throw LabError("cannot make \(directory): \(lastError)")
        }
        return LabHold(name: name, lock: lock)
    }

    /// Ends and removes all that bears this name, and gives the name up.
    func clear() {
        Self.remove(name)
        close(lock)
    }

    private static func sweep() {
        let directories = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let namespaces = Namespace.all.compactMap { nameOfLab($0) }
        for name in Set(directories.filter { $0 != "lock" }).union(namespaces) {
            // A lab without a directory has nobody who could hold its lock.
            let path = "\(root)/\(name)/lock"
            guard FileManager.default.fileExists(atPath: path) else {
                remove(name)
                continue
            }
            guard let lock = acquire(path, waiting: false) else { continue }
            remove(name)
            close(lock)
        }
    }

    /// `1234-1` of the namespace `fl-1234-1-web`; nil for a namespace that is no lab's.
    private static func nameOfLab(_ namespace: Namespace) -> String? {
        let parts = namespace.name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] == "fl", Int(parts[1]) != nil, Int(parts[2]) != nil else {
            return nil
        }
        return "\(parts[1])-\(parts[2])"
    }

    /// The sensor is asked first, so that it can end in order; what is still there after a second is killed.
    private static func remove(_ name: String) {
        let namespaces = Namespace.all.filter { nameOfLab($0) == name }
        signal(namespaces, SIGTERM)
        signal(namespaces, SIGCONT)
        if !eventually(within: .seconds(1), every: .milliseconds(20), { living(namespaces).isEmpty }) {
            _ = eventually(within: .seconds(3), every: .milliseconds(20)) {
                signal(namespaces, SIGKILL)
                return living(namespaces).isEmpty
            }
        }
        // What `ip netns delete` does; no program needs to be started for it.
        for namespace in namespaces {
            unsafe umount2(namespace.path, Int32(MNT_DETACH))
            unsafe unlink(namespace.path)
        }
        let directory = "\(root)/\(name)"
        let mounted = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for entry in mounted { unsafe umount2("\(directory)/\(entry)", Int32(MNT_DETACH)) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func living(_ namespaces: [Namespace]) -> [pid_t] { namespaces.flatMap(\.processes) }

    private static func signal(_ namespaces: [Namespace], _ number: Int32) {
        for pid in living(namespaces) { kill(pid, number) }
    }

    /// Only root may write there: no other user can put a link in our way.
    private static func makeDirectory(_ path: String) -> Bool {
        unsafe mkdir(path, 0o755) == 0 || errno == EEXIST
    }

    private static func acquire(_ path: String, waiting: Bool) -> Int32? {
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return nil }
        guard flock(file, LOCK_EX | (waiting ? 0 : LOCK_NB)) == 0 else {
            close(file)
            return nil
        }
        return file
    }

    private static var lastError: String { unsafe String(cString: strerror(errno)) }
}
