import CLinux
import Glibc

/// A thread of the control plane. Takes no signals, so that a broken pipe is an error and no death, and
/// yields to the workers: it is nicer by ten steps.
struct ServiceThread: Sendable {
    private let handle: pthread_t

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// nil, with errno's value in `code`, when the system has no thread left. `name`: at most 15 bytes.
    init?(name: String, code: inout Int32, _ body: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                var all = sigset_t()
                unsafe sigfillset(&all)
                unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
                unsafe flinch_name_thread(start.name)
                // On Linux a thread has a priority of its own, and 0 is the calling one.
                setpriority(PRIO_PROCESS, 0, 10)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            return nil
        }
        self.handle = handle
    }

    /// Waits for its end. Once, and not from itself.
    func join() { pthread_join(handle, nil) }
}
