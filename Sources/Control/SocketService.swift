import CLinux
import Glibc
import Synchronization

/// A thread that serves the clients of a listening socket one at a time, so that any number of them cost one
/// thread. Closes the socket with its owner.
final class SocketService: Sendable {
    private let listener: Int32
    private let thread = Mutex<pthread_t?>(nil)
    private let isStopped = Atomic<Bool>(false)

    init(listener: Int32) { self.listener = listener }

    deinit {
        stop()
        close(listener)
    }

    /// `serve` is called by one thread, for one client at a time. `name`: at most 15 bytes.
    func start(named name: String, _ serve: @escaping @Sendable (borrowing Connection) -> Void) {
        let loop = Loop(listener: listener, name: name, serve: serve)
        let started = unsafe Unmanaged.passRetained(loop)
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let loop = unsafe Unmanaged<Loop>.fromOpaque(context).takeRetainedValue()
                var all = sigset_t()
                unsafe sigfillset(&all)
                unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
                unsafe flinch_name_thread(loop.name)
                loop.run()
                return nil
            }, started.toOpaque())
        // Without a thread nobody is answered; clients see that at their timeout.
        guard code == 0 else {
            unsafe started.release()
            return
        }
        let made = handle
        thread.withLock { $0 = made }
    }

    /// Ends the service. Calling it again does nothing.
    func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        // Wakes the thread out of accept, and refuses those who still wait.
        shutdown(listener, Int32(SHUT_RDWR))
        guard let handle = thread.withLock({ $0 }) else { return }
        pthread_join(handle, nil)
    }

    /// What the thread works with.
    private final class Loop: Sendable {
        let listener: Int32
        let name: String
        let serve: @Sendable (borrowing Connection) -> Void

        init(listener: Int32, name: String, serve: @escaping @Sendable (borrowing Connection) -> Void) {
            self.listener = listener
            self.name = name
            self.serve = serve
        }

        func run() {
            while true {
                let client = accept(listener, nil, nil)
                if client >= 0 {
                    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                    serve(Connection(client))
                } else if errno == EINVAL || errno == EBADF {
                    // Shut down.
                    return
                } else if errno != EINTR && errno != ECONNABORTED {
                    // No descriptors or memory left: others must free some first.
                    usleep(100_000)
                }
            }
        }
    }
}
