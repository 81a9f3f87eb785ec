import CLinux
import Control
import Glibc

/// Signals as orders to the main thread, taken between two steps.
enum Signals {
    enum Order {
        case stop, rotate
        /// And who sent it.
        case reload(Peer)
    }

    private static let numbers: [Int32] = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

    private static var set: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        return set
    }

    /// For the calling thread and all that it starts from now on. A peer that goes away is an error of a
    /// write, not a signal.
    static func block() {
        var set = set
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits until `time` of the monotonic clock (nanoseconds) for an order; nil when none came.
    static func wait(until time: UInt64) -> Order? {
        var set = set
        while true {
            let now = flinch_monotonic()
            let left = time > now ? time - now : 0
            var patience = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            var sender = siginfo_t()
            switch unsafe sigtimedwait(&set, &sender, &patience) {
            case SIGTERM, SIGINT: return .stop
            case SIGHUP:
                return unsafe .reload(Peer(process: sender._sifields._kill.si_pid, user: sender._sifields._kill.si_uid))
            case SIGUSR1: return .rotate
            default:
                if errno == EINTR { continue }
                return nil
            }
        }
    }
}
