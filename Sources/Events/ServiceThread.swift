import CLinux
import Glibc

/// A thread could not be started.
public struct ThreadError: Error, CustomStringConvertible {
    public var description: String
}

/// A thread of the control plane. Takes no signals, so that a broken pipe is an error and no death, and
/// yields to the workers: it is nicer by ten steps.
public struct ServiceThread: Sendable {
    private let handle: pthread_t

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Throws when the system has no thread left. `name`: at most 15 bytes.
    public init(name: String, _ body: @escaping @Sendable () -> Void) throws(ThreadError) {
        var handle = pthread_t()
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                var all = sigset_t()
                unsafe sigfillset(&all)
                unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
                unsafe flinch_name_thread(start.name)
                // On Linux a thread has a priority of its own, and 0 is the calling one.
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw ThreadError(
                description: "cannot start the thread \(name): \(unsafe String(cString: strerror(code)))")
        }
        self.handle = handle
    }

    /// Waits for its end. Once, and not from itself.
    public func join() { pthread_join(handle, nil) }

    /// Lets it end by itself.
    public func detach() { pthread_detach(handle) }
}
