import CLinux
import CRedis

/// EVE lines to Redis, by list, channel or stream, as Suricata's `redis` output has them. The commands of a
/// batch go out together; each reply is looked at (RESP, redis.io/docs/reference/protocol-spec).
final class RedisChannel: Channel {
    let batchLimit = 100
    private let settings: RedisSettings
    private let password: Secret?
    private let tls: TLSContext?
    private var connection: Connection?

    /// Milliseconds for a connection, and for each reply.
    fileprivate static let timeout: UInt64 = 2000

    init(_ settings: RedisSettings) throws {
        self.settings = settings
        password = try settings.password.map { try Secret($0) }
        tls = settings.server.transport == .tls ? try TLSContext(settings.tls) : nil
    }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        var taken = 0
        do throws(OutgoingSocket.Failure) {
            if connection?.isClosed ?? true { connection = nil }
            if connection == nil { connection = try connect(patience) }
            guard let connection else { return .failed("no connection to \(settings.server)") }
            try connection.send(lines.map(command), patience)
            for _ in lines {
                try connection.reply(patience)
                taken += 1
            }
        } catch {
            // Those behind it may or may not have been taken; with a new connection they are sent again.
            connection = nil
            return .failed(error.description, after: taken)
        }
        return Delivery(taken: taken)
    }

    func reopen() { connection = nil }

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

    private func connect(_ patience: Patience) throws(OutgoingSocket.Failure) -> Connection {
        let connection = try Connection(settings.server, tls, patience)
        if let password {
            let user = settings.user.map { [Array($0.utf8)] } ?? []
            try connection.send([[Array("AUTH".utf8)] + user + [password.bytes]], patience)
            try connection.reply(patience)
        }
        if settings.database > 0 {
            try connection.send([[Array("SELECT".utf8), Array(String(settings.database).utf8)]], patience)
            try connection.reply(patience)
        }
        return connection
    }
}

/// A socket, and hiredis's reader of what comes by it.
@safe
private final class Connection {
    private let endpoint: Endpoint
    private let socket: OutgoingSocket
    private let reader: UnsafeMutablePointer<redisReader>

    init(_ endpoint: Endpoint, _ tls: TLSContext?, _ patience: Patience) throws(OutgoingSocket.Failure) {
        self.endpoint = endpoint
        socket = try OutgoingSocket(endpoint, tls: tls, by: patience.deadline(within: RedisChannel.timeout))
        guard let reader = unsafe redisReaderCreate() else {
            throw OutgoingSocket.Failure(description: "no memory for what \(endpoint) answers")
        }
        unsafe self.reader = unsafe reader
    }

    deinit { unsafe redisReaderFree(reader) }

    var isClosed: Bool { socket.isClosed }

    func send(_ commands: [[[UInt8]]], _ patience: Patience) throws(OutgoingSocket.Failure) {
        var bytes: [UInt8] = []
        for command in commands {
            bytes += Array("*\(command.count)\r\n".utf8)
            for word in command { bytes += Array("$\(word.count)\r\n".utf8) + word + Array("\r\n".utf8) }
        }
        try socket.send(bytes, by: patience.deadline(within: RedisChannel.timeout))
    }

    /// Waits for one reply. Throws what is wrong with it.
    func reply(_ patience: Patience) throws(OutgoingSocket.Failure) {
        let deadline = patience.deadline(within: RedisChannel.timeout)
        while true {
            var answer: UnsafeMutableRawPointer?
            guard unsafe redisReaderGetReply(reader, &answer) == REDIS_OK else {
                throw OutgoingSocket.Failure(description: "\(endpoint) is no Redis: it answers something else")
            }
            if let answer = unsafe answer {
                defer { unsafe freeReplyObject(answer) }
                let reply = unsafe answer.assumingMemoryBound(to: redisReply.self)
                guard unsafe reply.pointee.type == REDIS_REPLY_ERROR, let text = unsafe reply.pointee.str else {
                    return
                }
                throw OutgoingSocket.Failure(
                    description: "\(endpoint) answers: \(unsafe String(cString: text).prefix(200))")
            }
            let bytes = try socket.receive(4096, by: deadline)
            let isTaken = unsafe bytes.withUnsafeBytes { buffer in
                unsafe redisReaderFeed(
                    reader, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count) == REDIS_OK
            }
            guard isTaken else {
                throw OutgoingSocket.Failure(description: "no memory for what \(endpoint) answers")
            }
        }
    }
}
