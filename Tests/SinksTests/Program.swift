import Foundation
import Testing

/// A real receiver: a program that runs during a test.
final class Program {
    private let process = Process()

    /// The first argument is looked for where the system has its programs.
    init(_ arguments: String..., environment: [String: String] = [:]) throws {
        let name = arguments[0]
        let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        let path = name.hasPrefix("/") ? name : folders.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
        process.executableURL = URL(fileURLWithPath: try #require(path, "\(name) is not installed (.ci/install lab)"))
        process.arguments = Array(arguments.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Stops it for the moment, as a server that hangs; `resume` lets it go on.
    func suspend() { kill(process.processIdentifier, SIGSTOP) }
    func resume() { kill(process.processIdentifier, SIGCONT) }

    deinit {
        guard process.processIdentifier > 0 else { return }
        kill(process.processIdentifier, SIGCONT)
        process.terminate()
    }

    /// What a program prints; it must end by itself and well.
    static func output(_ arguments: String..., input: String = "") throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let data = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(arguments)")
        return String(decoding: data, as: UTF8.self)
    }
}

/// A TCP or UDP port on loopback that nobody has at the moment.
func freePort(_ kind: __socket_type = SOCK_STREAM) throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let done = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
        }
    }
    try #require(done)
    return UInt16(bigEndian: address.sin_port)
}
