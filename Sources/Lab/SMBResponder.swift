/// Just enough of an SMB1 server for a scanner to go on talking: it negotiates, logs everybody in, opens
/// every share, and refuses what is then asked of it ([MS-CIFS] 2.2).
enum SMBResponder {
    static let ports: [UInt16] = [139, 445]

    private static let header = 4..<36
    private static let signature: [UInt8] = [0xff, 0x53, 0x4d, 0x42]

    /// The answer to one message; nil for what is not SMB1 or NetBIOS, which ends the connection.
    static func reply(to message: [UInt8]) -> [UInt8]? {
        // NetBIOS session request (RFC 1002, 4.3.2): positive response.
        if message.first == 0x81 { return [0x82, 0, 0, 0] }
        guard message.count >= header.upperBound + 3, Array(message[4..<8]) == signature else { return nil }
        let command = message[8]
        var head = Array(message[header])
        // A reply; the status that follows the command; a tree and a user for whoever asks.
        head[9] |= 0x80
        let (status, words, bytes) = body(of: command, request: message)
        for i in 0..<4 { head[5 + i] = UInt8(truncatingIfNeeded: status >> (8 * UInt32(i))) }
        if command == 0x73 { (head[28], head[29]) = (0x01, 0x08) }
        if command == 0x75 { (head[24], head[25]) = (0x01, 0x08) }
        let size = UInt16(bytes.count)
        let content =
            head + [UInt8(words.count / 2)] + words + [UInt8(truncatingIfNeeded: size), UInt8(size >> 8)]
            + bytes
        let length = content.count
        return [0, 0, UInt8(length >> 8 & 0xff), UInt8(length & 0xff)] + content
    }

    /// NT status, parameter words and data bytes of the answer.
    private static func body(of command: UInt8, request: [UInt8]) -> (UInt32, [UInt8], [UInt8]) {
        switch command {
        case 0x72: (0, negotiation(request), Array(repeating: 0x5a, count: 8) + utf16("LAB") + utf16("SMB"))
        case 0x73: (0, [0xff, 0, 0, 0, 1, 0], [0] + utf16("Unix") + utf16("Lab") + utf16("LAB"))
        case 0x75: (0, [0xff, 0, 0, 0, 0, 0], Array("IPC\0".utf8) + [0, 0])
        // STATUS_INSUFF_SERVER_RESOURCES, which is what an unpatched server says to a probe of MS17-010.
        case 0x25, 0x32: (0xc000_0205, [], [])
        case 0x71, 0x74: (0, command == 0x74 ? [0xff, 0, 0, 0] : [], [])
        default: (0xc000_00bb, [], [])
        }
    }

    /// NT LM 0.12 at its place among the dialects offered; user security, challenge and response.
    private static func negotiation(_ request: [UInt8]) -> [UInt8] {
        let offered = request[39...].split(separator: 0).map { $0.drop { $0 == 2 } }
        let index = offered.firstIndex { $0.elementsEqual("NT LM 0.12".utf8) } ?? 0
        return [UInt8(truncatingIfNeeded: index), 0, 3, 50, 0, 1, 0] + [0, 64, 0, 0] + [0, 0, 1, 0]
            + [0, 0, 0, 0] + [0x7d, 0xe0, 0, 0] + Array(repeating: 0, count: 8) + [0, 0, 8]
    }

    private static func utf16(_ text: String) -> [UInt8] {
        (text + "\0").utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    }
}
