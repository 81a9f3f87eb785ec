import CLinux
import Foundation

/// A network namespace: a machine of the lab as far as the network is concerned.
public struct Namespace: Sendable, Hashable {
    public let name: String

    private static let directory = "/run/netns"
    var path: String { "\(Self.directory)/\(name)" }

    /// The names of all network namespaces of this machine.
    static var all: [Namespace] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().map(Namespace.init)
    }

    /// Starts a program in the namespace.
    ///
    /// - Parameter limit: the program is ended after this time, even if the lab itself is gone by then
    ///   (coreutils' `timeout` watches it). nil for a program that has to be signalled by its process id.
    public func start(
        _ command: [String], limit: Duration?, input: String? = nil, environment: [String: String] = [:]
    ) throws -> Program {
        var words = ["ip", "netns", "exec", name]
        if let limit { words += ["timeout", "--kill-after=2", "\(limit / .seconds(1))"] }
        return try Program.start(words + command, input: input, environment: environment)
    }

    /// Runs a program to its end and returns what it printed.
    ///
    /// - Throws: `LabError` with its complaint when it fails or takes longer than `limit`.
    @discardableResult
    public func run(_ command: String..., limit: Duration = .seconds(10), input: String? = nil) throws
        -> String
    {
        try Command.run(["ip", "netns", "exec", name] + command, limit: limit, input: input)
    }

    /// Runs `body` on a thread that is in this namespace, and returns what it returns. A socket opened
    /// there stays in the namespace whatever thread uses it afterwards.
    public func enter<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
        let box = ResultBox<T>()
        let path = path
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            box.result = Result {
                guard unsafe flinch_enter_network(path) == 0 else { throw LabError("cannot enter \(path)") }
                return try body()
            }
            done.signal()
        }
        thread.start()
        done.wait()
        return try box.result!.get()
    }

    /// The processes that live in the namespace, found as `ip netns pids` finds them: by the inode of
    /// their network namespace.
    var processes: [pid_t] {
        guard let own = Self.identity(path) else { return [] }
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { pid in
            pid != getpid() && Self.identity("/proc/\(pid)/ns/net") == own
        }
    }

    private struct Identity: Equatable {
        var device: dev_t
        var inode: ino_t
    }

    private static func identity(_ path: String) -> Identity? {
        var information = stat()
        guard unsafe stat(path, &information) == 0 else { return nil }
        return Identity(device: information.st_dev, inode: information.st_ino)
    }
}

/// Handed from the thread that fills it to the one that waits for it; the semaphore orders the two.
private final class ResultBox<T>: @unchecked Sendable {
    var result: Result<T, any Error>?
}

/// Programs that are run to their end, outside any namespace.
public enum Command {
    @discardableResult
    public static func run(_ command: [String], limit: Duration = .seconds(10), input: String? = nil) throws
        -> String
    {
        let program = try Program.start(command, input: input)
        guard let ending = program.wait(atMost: limit) else {
            program.stop(patience: .zero)
            throw LabError("\(program.title): not done after \(limit)")
        }
        guard ending == .exited(0) else {
            let complaint = (program.complained + program.printed).trimmingCharacters(
                in: .whitespacesAndNewlines)
            throw LabError("\(program.title): \(complaint.isEmpty ? "\(ending)" : complaint)")
        }
        return program.printed
    }
}
