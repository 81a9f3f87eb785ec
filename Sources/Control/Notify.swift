import CLinux
import Glibc

/// Tells systemd how the service is doing (sd_notify(3)), by datagrams to the socket that it names in
/// `NOTIFY_SOCKET`. Without that variable nothing is sent. Needs no library and never waits.
public enum Notify {
    /// The service is up, or has finished its reload.
    @discardableResult
    public static func ready(status: String) -> Bool { send("READY=1\nSTATUS=\(line(status))") }

    /// A reload begins. `ready` ends it. (The time is what Type=notify-reload asks for, in microseconds.)
    @discardableResult
    public static func reloading() -> Bool {
        send("RELOADING=1\nMONOTONIC_USEC=\(flinch_monotonic() / 1000)")
    }

    /// The service is on its way down.
    @discardableResult
    public static func stopping() -> Bool { send("STOPPING=1") }

    /// One line for a person, which `systemctl status` shows.
    @discardableResult
    public static func status(_ text: String) -> Bool { send("STATUS=\(line(text))") }

    /// The service is alive. At least twice in `watchdogInterval`.
    @discardableResult
    public static func watchdog() -> Bool { send("WATCHDOG=1") }

    /// Microseconds after which systemd takes a silent service for dead (`WatchdogSec=`); nil if it does not
    /// watch this process.
    public static var watchdogInterval: UInt64? {
        guard let interval = variable("WATCHDOG_USEC").flatMap(UInt64.init), interval > 0 else { return nil }
        if let watched = variable("WATCHDOG_PID"), watched != String(getpid()) { return nil }
        return interval
    }

    /// Assignments end at a line end, so a text must not have one.
    private static func line(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// False where nobody listens or the datagram did not go out.
    private static func send(_ message: String) -> Bool {
        guard let path = variable("NOTIFY_SOCKET"), let address = SocketAddress(path: path) else {
            return false
        }
        let descriptor = unixSocket(SOCK_DGRAM)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        return unsafe address.withPointer { pointer, length in
            unsafe sendto(
                descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT),
                pointer, length) == bytes.count
        }
    }
}
