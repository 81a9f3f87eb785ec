import CLinux
import Foundation
import Synchronization

/// A real program that the lab runs, with its output kept.
///
/// It leads a process group of its own, so that what it starts ends with it, and so that Ctrl-C in the
/// terminal reaches the lab first and the lab ends everything in order. Output goes to unnamed files, not
/// pipes: a program that prints much never waits for a reader.
public final class Program: Sendable {
    public enum Ending: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// The command line, for messages.
    public let title: String
    public let pid: pid_t
    private let output: Capture
    private let errors: Capture
    private let ending = Mutex<Ending?>(nil)

    private init(title: String, pid: pid_t, output: Capture, errors: Capture) {
        self.title = title
        self.pid = pid
        self.output = output
        self.errors = errors
    }

    /// Starts a program found in PATH (or by its path).
    ///
    /// - Parameters:
    ///   - input: what it reads from standard input; nothing otherwise.
    ///   - environment: set in addition to the lab's own environment.
    /// - Throws: `LabError` when it cannot be started, or when the labs are being taken down.
    public static func start(
        _ command: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws -> Program {
        try Shutdown.unlessClosing { try spawn(command, input: input, environment: environment) }
    }

    private static func spawn(
        _ command: [String], input: String?, environment: [String: String]
    ) throws -> Program {
        let output = try Capture()
        let errors = try Capture()
        let source = try input.map { try Capture(containing: $0) }
        let null = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(null) }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, source?.descriptor ?? null, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output.descriptor, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.descriptor, 2)

        // Signals that we ignore would be ignored by what we start.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&defaults, signal) }
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        var settings = unsafe variables.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe settings.forEach { unsafe free($0) }
        }
        var pid: pid_t = 0
        let code = unsafe posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, &settings)
        guard code == 0 else {
            throw LabError("cannot start \(command[0]): \(unsafe String(cString: strerror(code)))")
        }
        return Program(title: command.joined(separator: " "), pid: pid, output: output, errors: errors)
    }

    /// What it has printed to standard output until now.
    public var printed: String { output.text }
    /// What it has printed to standard error until now.
    public var complained: String { errors.text }

    /// How it ended; nil while it runs.
    public var ended: Ending? {
        ending.withLock { ending in
            reap(&ending)
            return ending
        }
    }

    /// Waits until it has ended. Returns nil when it has not within `limit`.
    @discardableResult
    public func wait(atMost limit: Duration) -> Ending? {
        _ = eventually(within: limit) { ended != nil }
        return ended
    }

    /// Sends a signal to the program alone. Does nothing once it has ended.
    public func send(_ signal: Int32) {
        ending.withLock { ending in
            reap(&ending)
            if ending == nil { kill(pid, signal) }
        }
    }

    /// Ends the program and what it started: asks first, and insists after `patience`.
    public func stop(patience: Duration = .seconds(2)) {
        sendToGroup(SIGTERM)
        if wait(atMost: patience) == nil {
            sendToGroup(SIGKILL)
            wait(atMost: .seconds(2))
        }
    }

    /// Waits until its output or its complaints contain `text`, which is how many programs say that they
    /// are ready.
    public func waitUntilItSays(_ text: String, atMost limit: Duration) -> Bool {
        let said = eventually(within: limit) {
            complained.contains(text) || printed.contains(text) || ended != nil
        }
        return said && (complained.contains(text) || printed.contains(text))
    }

    private func sendToGroup(_ signal: Int32) {
        ending.withLock { ending in
            reap(&ending)
            if ending == nil { kill(-pid, signal) }
        }
    }

    /// Under the lock, so that no signal is sent to a process id that is no longer ours.
    private func reap(_ ending: inout Ending?) {
        guard ending == nil else { return }
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return }
        let signal = status & 0x7f
        ending = signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal: signal)
    }
}

/// Asks again and again until the answer is yes or the time is over. Returns the last answer.
public func eventually(
    within limit: Duration, every pause: Duration = .milliseconds(5), _ condition: () -> Bool
) -> Bool {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        if ContinuousClock.now >= deadline { return condition() }
        rest(pause)
    }
    return true
}

/// Blocks the calling thread.
public func rest(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var asked = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    var left = timespec()
    while unsafe nanosleep(&asked, &left) != 0 { asked = left }
}
