import Control
import Foundation
import Testing

/// A folder that is gone after the test. Short, because a socket's path is.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = "/tmp/flinch-control-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

/// What systemd would do: a datagram socket whose name is in the environment. One test at a time, because
/// the environment is the process's.
@Suite(.serialized) struct NotifyTests {
    private func received(at path: String, by send: () -> Void) throws -> [String] {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        if path.hasPrefix("@") {
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0[0] = 0 }
        }
        let length = socklen_t(2 + bytes.count + (path.hasPrefix("@") ? 0 : 1))
        let result = unsafe withUnsafeBytes(of: address) {
            unsafe bind(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
        }
        try #require(result == 0)
        unsafe setenv("NOTIFY_SOCKET", path, 1)
        defer { unsafe unsetenv("NOTIFY_SOCKET") }
        send()
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return messages }
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }

    @Test func whatSystemdHears() throws {
        try withFolder { folder in
            let messages = try received(at: folder + "/notify") {
                Notify.ready(status: "inspecting\nWATCHDOG=1")
                Notify.status("2 guests")
                Notify.watchdog()
                Notify.reloading()
                Notify.stopping()
            }
            #expect(messages.count == 5)
            #expect(
                Array(messages.prefix(3)) == [
                    "READY=1\nSTATUS=inspecting WATCHDOG=1", "STATUS=2 guests", "WATCHDOG=1",
                ])
            let reloading = try #require(messages.dropFirst(3).first?.split(separator: "\n"))
            #expect(reloading.first == "RELOADING=1")
            let stamp = try #require(reloading.last?.split(separator: "=").last.flatMap { Double($0) })
            #expect(abs(stamp / 1_000_000 - ProcessInfo.processInfo.systemUptime) < 60)
            #expect(messages.last == "STOPPING=1")
        }
    }

    @Test func abstractSockets() throws {
        let messages = try received(at: "@flinch-test-\(getpid())") { Notify.watchdog() }
        #expect(messages == ["WATCHDOG=1"])
    }

    @Test func withoutSystemdNothingIsSent() {
        #expect(!Notify.watchdog())
        unsafe setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1)
        defer { unsafe unsetenv("NOTIFY_SOCKET") }
        #expect(!Notify.stopping())
    }

    @Test func theWatchdogsInterval() {
        defer {
            unsafe unsetenv("WATCHDOG_USEC")
            unsafe unsetenv("WATCHDOG_PID")
        }
        #expect(Notify.watchdogInterval == nil)
        unsafe setenv("WATCHDOG_USEC", "10000000", 1)
        #expect(Notify.watchdogInterval == 10_000_000)
        unsafe setenv("WATCHDOG_PID", "1", 1)
        #expect(Notify.watchdogInterval == nil, "it watches another process")
        unsafe setenv("WATCHDOG_PID", String(getpid()), 1)
        #expect(Notify.watchdogInterval == 10_000_000)
    }
}
