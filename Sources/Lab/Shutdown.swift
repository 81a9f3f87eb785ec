import CLinux
import Foundation
import Synchronization

/// Takes every lab of this process down, once, whoever asks: the end of the demo, Ctrl-C, a failed test.
public enum Shutdown {
    private struct State {
        var closing = false
        var labs: [ObjectIdentifier: Lab] = [:]
    }

    private static let state = Mutex(State())
    /// The write end of the pipe through which the signal handler wakes the thread that takes down.
    nonisolated(unsafe) private static var wake: Int32 = -1

    /// Runs `body` unless the labs are being taken down; nothing is started after that began.
    static func unlessClosing<T>(_ body: () throws -> T) throws -> T {
        try state.withLock { state in
            guard !state.closing else { throw LabError("the lab is being taken down") }
            return try body()
        }
    }

    static func register(_ lab: Lab) { state.withLock { $0.labs[ObjectIdentifier(lab)] = lab } }
    static func forget(_ lab: Lab) {
        _ = state.withLock { $0.labs.removeValue(forKey: ObjectIdentifier(lab)) }
    }

    /// From now on SIGINT, SIGTERM and SIGHUP take all labs down and end the process with 128 + signal.
    ///
    /// The handler only writes the signal's number to a pipe (all that is allowed there); a thread does
    /// the work.
    public static func onSignals(before: @escaping @Sendable () -> Void = {}) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        unsafe wake = ends[1]
        let reader = ends[0]
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = unsafe write(unsafe Shutdown.wake, &byte, 1)
            }
        }
        let thread = Thread {
            var byte: UInt8 = 0
            while unsafe read(reader, &byte, 1) != 1 {}
            before()
            everything()
            exit(128 + Int32(byte))
        }
        thread.name = "take-down"
        thread.start()
    }

    /// Returns at once, unless a signal is ending the process: what fails then fails because the lab goes,
    /// and the signal's thread has the last word.
    public static func yieldToSignal() {
        guard state.withLock({ $0.closing }) else { return }
        rest(.seconds(60))
    }

    /// Ends all labs; nothing can be started after.
    public static func everything() {
        let labs = state.withLock { state in
            state.closing = true
            return Array(state.labs.values)
        }
        for lab in labs { lab.stop() }
    }
}
