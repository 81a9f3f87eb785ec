import Foundation
import Testing

@testable import Sinks

/// A Unix socket that a test reads from.
final class Listener {
    private let descriptor: Int32
    private var client: Int32 = -1
    private let isDatagram: Bool

    init(_ path: String, datagram: Bool) throws {
        isDatagram = datagram
        descriptor = socket(AF_UNIX, Int32((datagram ? SOCK_DGRAM : SOCK_STREAM).rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        if !datagram { try #require(listen(descriptor, 5) == 0) }
    }

    deinit {
        hangUp()
        close(descriptor)
    }

    func hangUp() {
        if client >= 0 { close(client) }
        client = -1
    }

    /// The next piece, at most a second waited for; a stream is accepted first.
    func receive() -> String {
        if !isDatagram, client < 0 { client = accept(descriptor, nil, nil) }
        let source = isDatagram ? descriptor : client
        var entry = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, 1000) > 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(source, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

struct EVEChannelTests {
    @Test func aFileIsSetAsideBySize() throws {
        try withFolder { folder in
            let path = folder + "/eve.json"
            let channel = try EVEFileChannel(
                EVEFileSettings(path: path, rotation: .init(size: 10_000, keep: 3)))
            let sink = try Sink.sample(channel, queueLines: 100_000, queueBytes: 64 << 20)
            // 100 bytes a line, in batches small enough to be one file each at most.
            for number in 0..<1000 {
                let digits = String(number)
                sink.offer([report(digits + String(repeating: " ", count: 99 - digits.count))])
                if number % 50 == 49 { #expect(eventually { sink.health.queued == 0 }) }
            }
            sink.end()
            #expect(sink.health.delivered == 1000 && sink.health.lastError == nil)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(files == ["eve.json", "eve.json.1", "eve.json.2", "eve.json.3"])
            let kept = try ["eve.json.3", "eve.json.2", "eve.json.1", "eve.json"].map {
                try contents(folder + "/" + $0)
            }.joined()
            let numbers = kept.split(separator: "\n").compactMap { Int($0.prefix { $0 != " " }) }
            #expect(numbers == Array(1000 - numbers.count..<1000), "the newest, each once and in order")
            #expect(numbers.count >= 300)
            for file in files.dropFirst() {
                #expect(try contents(folder + "/" + file).utf8.count >= 10_000)
            }
        }
    }

    @Test func reopensOnRequest() throws {
        try withFolder { folder in
            let path = folder + "/eve.json"
            let sink = try Sink.sample(try EVEFileChannel(EVEFileSettings(path: path)))
            sink.offer(reports(0..<1))
            #expect(eventually { sink.health.delivered == 1 })
            try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
            sink.reopen()
            #expect(eventually { FileManager.default.fileExists(atPath: path) }, "also while nothing is to be written")
            sink.offer(reports(1..<2))
            sink.end()
            #expect(try contents(path + ".old") == "line 0\n")
            #expect(try contents(path) == "line 1\n")
        }
    }

    @Test func aFullDiskLosesNothingThatFitsTheQueue() throws {
        let sink = try Sink.sample(try EVEFileChannel(EVEFileSettings(path: "/dev/full")), queueLines: 100)
        sink.offer(reports(0..<150))
        #expect(eventually { sink.health.state == .failing })
        #expect(sink.health.queued == 100 && sink.health.dropped == 50)
        #expect(sink.health.lastError == "cannot write to /dev/full: No space left on device")
        sink.end()
        #expect(sink.health.delivered == 0 && sink.health.dropped == 150)
    }

    @Test(arguments: [false, true])
    func unixSocket(datagram: Bool) throws {
        try withFolder { folder in
            let path = folder + "/eve.sock"
            let channel = EVESocketChannel(Endpoint(datagram ? .unixDatagram : .unix, host: path))
            let sink = try Sink.sample(channel)
            sink.offer(reports(0..<2))
            #expect(eventually { sink.health.failures > 1 }, "nobody is there yet")
            #expect(sink.health.lastError?.contains("cannot connect to unix") == true)
            let listener = try Listener(path, datagram: datagram)
            if datagram {
                #expect(listener.receive() == "line 0\n")
                #expect(listener.receive() == "line 1\n")
            } else {
                var text = listener.receive()
                while text.count < 14, case let more = listener.receive(), !more.isEmpty { text += more }
                #expect(text == "line 0\nline 1\n")
                // The reader comes back on another connection.
                listener.hangUp()
                sink.offer(reports(2..<3))
                #expect(listener.receive() == "line 2\n")
            }
            sink.end()
            #expect(sink.health.dropped == 0 && sink.health.queued == 0)
        }
    }

    /// A reader that stops reading: the sink waits its time and no more.
    @Test func aSocketThatNobodyReads() throws {
        try withFolder { folder in
            let path = folder + "/eve.sock"
            let listener = try Listener(path, datagram: false)
            let sink = try Sink.sample(EVESocketChannel(Endpoint(.unix, host: path)), queueBytes: 8 << 20)
            let text = String(repeating: "x", count: 9999)
            for _ in 0..<200 { sink.offer([report(text)]) }
            #expect(eventually { sink.health.state == .failing })
            #expect(sink.health.lastError?.hasSuffix("does not take what is sent") == true)
            let start = Date()
            sink.end(within: 0.5)
            #expect(Date().timeIntervalSince(start) < 4)
            #expect(sink.health.delivered + sink.health.dropped == 200)
            withExtendedLifetime(listener) {}
        }
    }
}
