import CLinux
import Glibc
import Testing

/// Runs the body in a network namespace of its own, which goes with it. Programs that the body starts are in
/// that namespace too. The thread is lent for as long, and returned to where it was.
func inNetworkNamespace(_ body: () throws -> Void) throws {
    try #require(
        geteuid() == 0, "these tests change kernel rules in namespaces of their own: run them as root")
    let home = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    try #require(home >= 0)
    defer { close(home) }
    try #require(flinch_unshare_network() == 0, "no new network namespace: errno \(errno)")
    defer {
        precondition(
            unsafe flinch_enter_network("/proc/self/fd/\(home)") == 0, "cannot return to the namespace: errno \(errno)")
    }
    try body()
}

struct CommandFailed: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

/// Runs a shell command in the namespace of the calling thread; its standard output and error.
@discardableResult
func shell(_ command: String) throws -> String {
    guard let pipe = unsafe popen("exec 2>&1; \(command)", "re") else {
        throw CommandFailed(text: "popen: errno \(errno)")
    }
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, pipe) }
        if count == 0 { break }
        output += chunk[..<count]
    }
    let text = String(decoding: output, as: UTF8.self)
    let status = unsafe pclose(pipe)
    guard status == 0 else { throw CommandFailed(text: "\(command): status \(status): \(text)") }
    return text
}
