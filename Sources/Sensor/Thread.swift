import CLinux
import Glibc

/// POSIX threads with a name and a closure, for what must not run on a shared executor.
enum Thread {
    private final class Body {
        let run: @Sendable () -> Void
        let name: String

        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread that the caller joins. Not to get one is a lack of memory or of process limits, and
    /// a sensor cannot go on without: traps.
    static func start(named name: String, _ run: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(name, run))
        let error = unsafe pthread_create(
            &thread, nil,
            { argument in
                let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
                unsafe body.name.withCString { unsafe flinch_name_thread($0) }
                body.run()
                return nil
            }, body.toOpaque())
        precondition(error == 0, "cannot start a thread: errno \(error)")
        return thread
    }
}
