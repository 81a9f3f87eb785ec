import CLinux
import CRedis
import Glibc

/// EVE lines to Redis, by list, channel or stream, as Suricata's `redis` output has them. The commands of a
/// batch go out together; each reply is looked at.
@safe
final class RedisChannel: Channel {
    let batchLimit = 100
    private let settings: RedisSettings
    private let password: Secret?
    private var connection: UnsafeMutablePointer<redisContext>?

    /// Milliseconds for a connection, and for each reply.
    private static let timeout = 2000

    init(_ settings: RedisSettings) throws(Secret.Failure) {
        self.settings = settings
        password = try settings.password.map { source throws(Secret.Failure) in try Secret(source) }
    }

    deinit { disconnect() }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        if unsafe connection == nil, let problem = connect() {
            disconnect()
            return .failed(problem)
        }
        for line in lines { append(command(line)) }
        var taken = 0
        for _ in lines {
            if let problem = reply() {
                // Those behind it may or may not have been taken; with a new connection they are sent again.
                disconnect()
                return .failed(problem, after: taken)
            }
            taken += 1
        }
        return Delivery(taken: taken)
    }

    func reopen() { disconnect() }

    private func command(_ line: [UInt8]) -> [[UInt8]] {
        let text = Array(line.dropLast())
        let key = Array(settings.key.utf8)
        return switch settings.mode {
        case .list, .leftPush: [Array("LPUSH".utf8), key, text]
        case .rightPush: [Array("RPUSH".utf8), key, text]
        case .channel: [Array("PUBLISH".utf8), key, text]
        case .stream: [Array("XADD".utf8), key, Array("*".utf8), Array("event".utf8), text]
        }
    }

    // MARK: - The connection

    private func connect() -> String? {
        let timeout = timeval(tv_sec: RedisChannel.timeout / 1000, tv_usec: RedisChannel.timeout % 1000 * 1000)
        let server = settings.server
        let fresh =
            server.transport == .unix
            ? unsafe redisConnectUnixWithTimeout(server.host, timeout)
            : unsafe redisConnectWithTimeout(server.host, Int32(server.port), timeout)
        guard let fresh = unsafe fresh else { return "no memory to connect to \(server)" }
        unsafe connection = fresh
        guard unsafe fresh.pointee.err == 0 else { return failure() }
        unsafe redisSetTimeout(fresh, timeout)
        if let password {
            let user = settings.user.map { [Array($0.utf8)] } ?? []
            append([Array("AUTH".utf8)] + user + [password.bytes])
            if let problem = reply() { return problem }
        }
        if settings.database > 0 {
            append([Array("SELECT".utf8), Array(String(settings.database).utf8)])
            return reply()
        }
        return nil
    }

    private func disconnect() {
        if let connection = unsafe connection { unsafe redisFree(connection) }
        unsafe connection = nil
    }

    private func append(_ words: [[UInt8]]) {
        guard let connection = unsafe connection else { return }
        // One block for all words: their addresses must hold together until the call returns.
        let block = words.flatMap { $0.isEmpty ? [0] : $0 }.map { CChar(bitPattern: $0) }
        unsafe block.withUnsafeBufferPointer { buffer in
            var starts: [UnsafePointer<CChar>?] = unsafe []
            var offset = 0
            for word in words {
                unsafe starts.append(buffer.baseAddress! + offset)
                offset += max(1, word.count)
            }
            let lengths = words.map(\.count)
            unsafe _ = redisAppendCommandArgv(connection, Int32(words.count), &starts, lengths)
        }
    }

    /// Waits for one reply; returns what is wrong with it.
    private func reply() -> String? {
        guard let connection = unsafe connection else { return "no connection" }
        var answer: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(connection, &answer) == REDIS_OK, let answer = unsafe answer else {
            return failure()
        }
        defer { unsafe freeReplyObject(answer) }
        let reply = unsafe answer.assumingMemoryBound(to: redisReply.self)
        guard unsafe reply.pointee.type == REDIS_REPLY_ERROR, let text = unsafe reply.pointee.str else { return nil }
        return "\(settings.server) answers: \(unsafe String(cString: text).prefix(200))"
    }

    private func failure() -> String {
        guard let connection = unsafe connection else { return "no connection to \(settings.server)" }
        let text = unsafe withUnsafePointer(to: &connection.pointee.errstr) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 128) { unsafe String(cString: $0) }
        }
        // EAGAIN is what hiredis makes of a timeout.
        let reason = unsafe connection.pointee.err == REDIS_ERR_IO && errno == EAGAIN ? "no answer in time" : text
        return "\(settings.server): \(reason)"
    }
}
