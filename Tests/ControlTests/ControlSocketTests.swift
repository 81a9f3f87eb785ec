import Control
import Foundation
import Testing

struct ControlSocketTests {
    private func ask(_ path: String, _ request: String = "status") throws(ControlError) -> String {
        String(decoding: try ControlClient.request(path: path, request, timeout: 20_000), as: UTF8.self)
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// A stream socket that a test speaks by hand.
    private func raw(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let result = unsafe withUnsafeBytes(of: address) {
            unsafe connect(
                descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_un>.size))
        }
        try #require(result == 0)
        return descriptor
    }

    @Test func questionAndAnswer() throws {
        try withFolder { folder in
            let path = folder + "/s"
            let server = try ControlServer(path: path)
            let large = String(repeating: "x", count: 2_000_000)
            server.start { request, _ in Array((request == "large" ? large : "you said " + request).utf8) }
            #expect(try ask(path) == "you said status")
            #expect(try ask(path, "large") == large, "larger than a socket's buffer")
            for number in 0..<100 { #expect(try ask(path, "\(number)") == "you said \(number)") }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            server.stop()
            server.stop()
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(refusal { _ = try ask(path) } == "flinchd is not running (no socket at \(path))")
        }
    }

    @Test func whoAsksIsKnown() throws {
        try withFolder { folder in
            let path = folder + "/s"
            let server = try ControlServer(path: path)
            defer { server.stop() }
            server.start { _, peer in Array("\(peer?.process ?? 0) \(peer?.user ?? .max) \(peer?.name ?? "")".utf8) }
            let words = try ask(path).split(separator: " ", maxSplits: 2).map(String.init)
            #expect(words[0] == "\(getpid())" && words[1] == "\(getuid())")
            let user = String(cString: try #require(unsafe getpwuid(getuid())).pointee.pw_name)
            #expect(words[2].hasSuffix(user))
        }
        // A process that is gone, and a user that nobody knows.
        #expect(Peer(process: .max, user: 4_000_000_000).name == "user 4000000000")
    }

    @Test func aSocketLeftBehindIsReplacedAndALiveOneIsNot() throws {
        try withFolder { folder in
            let path = folder + "/s"
            // What a sensor leaves that was killed: the file of a socket that is closed.
            let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) {
                unsafe $0.copyBytes(from: Array(path.utf8))
            }
            let bound = unsafe withUnsafeBytes(of: address) {
                unsafe bind(
                    dead, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                    socklen_t(MemoryLayout<sockaddr_un>.size))
            }
            try #require(bound == 0)
            close(dead)
            #expect(refusal { _ = try ask(path) } == "flinchd is not running (nobody answers at \(path))")

            let server = try ControlServer(path: path)
            #expect(
                refusal { _ = try ControlServer(path: path) }
                    == "another flinchd runs already: it listens at \(path)", "also before it serves")
            server.start { _, _ in [65] }
            #expect(
                refusal { _ = try ControlServer(path: path) }
                    == "another flinchd runs already: it listens at \(path)")
            #expect(try ask(path) == "A", "the one that runs is not disturbed")
            server.stop()
        }
    }

    @Test func whatIsInTheWay() throws {
        try withFolder { folder in
            let file = folder + "/file"
            try Data("precious".utf8).write(to: URL(filePath: file))
            #expect(
                refusal { _ = try ControlServer(path: file) }
                    == "\(file) is in the way: it is no socket; move it elsewhere")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
            let lost = folder + "/none/s"
            #expect(
                refusal { _ = try ControlServer(path: lost) }
                    == "cannot listen at \(lost): its folder does not exist; make it")
            let long = "/" + String(repeating: "x", count: 107)
            #expect(refusal { _ = try ControlServer(path: long) }?.contains("107 bytes") == true)
        }
    }

    @Test func hostileClients() throws {
        try withFolder { folder in
            let path = folder + "/s"
            let server = try ControlServer(path: path)
            server.start { request, _ in Array(request.utf8) }
            defer { server.stop() }
            // One that says nothing is sent away after a second, and nobody is kept longer.
            let silent = try raw(path)
            defer { close(silent) }
            let start = Date()
            #expect(try ask(path) == "status")
            #expect((0.5...10).contains(Date().timeIntervalSince(start)))
            // One that never ends its line, and one that hangs up.
            for text in [String(repeating: "y", count: 300), "half"] {
                let rude = try raw(path)
                let bytes = Array(text.utf8)
                #expect(unsafe send(rude, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
                close(rude)
            }
            #expect(refusal { _ = try ask(path, String(repeating: "y", count: 300)) } != nil)
            #expect(try ask(path, String(repeating: "z", count: 255)).count == 255)
        }
    }

    @Test func stoppingDoesNotWaitForClients() throws {
        try withFolder { folder in
            let server = try ControlServer(path: folder + "/s")
            server.start { _, _ in [] }
            #expect(
                refusal { _ = try ask(folder + "/s") }
                    == "flinchd at \(folder)/s closed the connection without an answer")
            let start = Date()
            server.stop()
            #expect(Date().timeIntervalSince(start) < 5)
        }
    }
}
