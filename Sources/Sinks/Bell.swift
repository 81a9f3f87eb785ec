import CLinux
import Glibc

/// One thread sleeps until another rings (eventfd(2)). Rings while nobody sleeps are kept as one.
final class Bell: Sendable {
    private let descriptor: Int32

    /// Without a descriptor left, the sleeper wakes by time alone.
    init() { descriptor = flinch_eventfd() }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func ring() {
        var one: UInt64 = 1
        unsafe _ = write(descriptor, &one, 8)
    }

    /// Sleeps until a ring, or `time` of the monotonic clock, or an hour.
    func wait(until time: UInt64) {
        let now = flinch_monotonic()
        guard time > now else { return }
        let milliseconds = min((time - now) / 1_000_000 + 1, 3_600_000)
        guard descriptor >= 0 else {
            usleep(UInt32(min(milliseconds, 50)) * 1000)
            return
        }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, Int32(milliseconds)) > 0 else { return }
        var rings: UInt64 = 0
        unsafe _ = read(descriptor, &rings, 8)
    }
}
