import Conformance
import Wire

private func query(flags: Int = 0x0100, counts: [Int] = [1, 0, 0, 0], _ body: [UInt8]) -> Sample {
    .dns(ipv4(17, udp(dns(flags: flags, counts: counts, body), to: 53)))
}
private func response(_ counts: [Int], _ body: [UInt8]) -> Sample {
    .dns(ipv4(17, udp(dns(flags: 0x8180, counts: counts, body), from: 53)))
}
/// Messages of a stream, each behind its length.
private func streamed(_ messages: [UInt8]...) -> Sample { .stream(.dns, messages.flatMap { big16($0.count) + $0 }) }
private let kind = hex("0001 0001")

/// A name of labels of 63 bytes, and one of the rest.
private func longName(_ length: Int) -> [UInt8] {
    var name: [UInt8] = []
    while name.count < length - 1 {
        let size = min(63, length - 2 - name.count)
        name += [UInt8(size)] + Array(repeating: 0x61, count: size)
    }
    return name + [0]
}

private let smb2 = hex("fe534d42 4000") + zeros(58)
private let smb1 = hex("ff534d42 72") + zeros(27) + hex("00 0000")

private func session(type: UInt8 = 0, length: Int? = nil, _ message: [UInt8]) -> [UInt8] {
    [type] + number24(length ?? message.count) + message
}

private func http(_ text: String) -> Sample { .stream(.http, Array(text.utf8)) }
private let get = "GET / HTTP/1.1\r\n"

private func record(type: UInt8 = 22, version: Int = 0x0301, length: Int? = nil, _ body: [UInt8]) -> [UInt8] {
    [type] + big16(version) + big16(length ?? body.count) + body
}
private func hello(suites: [UInt8] = hex("0002 1301"), extensions: [UInt8] = hex("0004 00170000")) -> [UInt8] {
    let body = big16(0x0303) + zeros(32) + [0] + suites + hex("0100") + extensions
    return [1] + number24(body.count) + body
}

extension CheckTests {
    static let applicationCases: [CheckCase] = [
        CheckCase(.dnsTooShort, .dns(ipv4(17, udp(zeros(11)))), .dns(ipv4(17, udp(zeros(12))))),
        CheckCase(.dnsTooShort, streamed(zeros(11)), streamed(zeros(12))),
        CheckCase(.dnsCounts, query(counts: [2, 0, 0, 0], question), query(counts: [1, 0, 0, 0], question)),
        CheckCase(
            .dnsCounts, query(counts: [1, 0, 0, 0], hex("05 777777 00 0001 0001")),
            query(counts: [1, 0, 0, 0], question)),
        CheckCase(
            .dnsCounts, response([1, 1, 0, 0], question + answer.dropLast()), response([1, 1, 0, 0], question + answer)),
        CheckCase(
            .dnsQuestionCount, query(counts: [2, 0, 0, 0], question + question), query(counts: [1, 0, 0, 0], question)),
        CheckCase(
            .dnsPointerLoop, query(counts: [1, 0, 0, 0], hex("c00c") + kind), query(counts: [1, 0, 0, 0], question)),
        CheckCase(
            .dnsPointerLoop, response([1, 1, 0, 0], question + hex("c0ff") + answer.dropFirst(2)),
            response([1, 1, 0, 0], question + answer)),
        CheckCase(
            .dnsPointerLoop,
            // An alias whose name points at itself, at byte 33.
            response([1, 1, 0, 0], question + hex("c00c 0005 0001 0000003c 0002 c021")),
            response([1, 1, 0, 0], question + hex("c00c 0005 0001 0000003c 0002 c00c"))),
        CheckCase(
            .dnsLabel, query(counts: [1, 0, 0, 0], hex("40 00 00") + kind), query(counts: [1, 0, 0, 0], question)),
        CheckCase(
            .dnsNameTooLong, query(counts: [1, 0, 0, 0], longName(256) + kind),
            query(counts: [1, 0, 0, 0], longName(255) + kind)),
        CheckCase(
            .dnsOversize, response([1, 1, 0, 0], question + hex("c00c 0010 0001 0000003c 0200") + zeros(512)),
            response(
                [1, 1, 0, 1],
                question + hex("c00c 0010 0001 0000003c 0200") + zeros(512) + hex("00 0029 1000 00000000 0000"))),
        CheckCase(
            .dnsAnswerWithoutQuestion, response([0, 1, 0, 0], name + answer.dropFirst(2)),
            response([1, 1, 0, 0], question + answer)),
        CheckCase(
            .dnsQueryWithAnswers, query(counts: [1, 1, 0, 0], question + answer),
            response([1, 1, 0, 0], question + answer)),
        CheckCase(.dnsOpcode, query(flags: 0x3900, question), query(flags: 0x2900, question)),
        CheckCase(
            .dnsTrailingData, query(counts: [1, 0, 0, 0], question + [0]), query(counts: [1, 0, 0, 0], question)),
        CheckCase(
            .dnsOpcode, streamed(dns(question), dns(flags: 0x3900, question)), streamed(dns(question), dns(question))),
        // As far as it goes: the pointer is there, what is behind it is not.
        CheckCase(
            .dnsPointerLoop, .stream(.dns, big16(300) + dns(counts: [1, 0, 0, 1], hex("c00c") + kind)),
            .stream(.dns, big16(300) + dns(counts: [1, 0, 0, 1], question))),
        CheckCase(
            .dnsCounts, streamed(dns(counts: [1, 0, 0, 1], question)),
            .stream(.dns, big16(300) + dns(counts: [1, 0, 0, 1], question))),

        CheckCase(.netbiosType, .stream(.smb, session(type: 0x81, smb2)), .stream(.netbios, session(type: 0x81, smb2))),
        CheckCase(.netbiosLength, .stream(.smb, session(type: 0, [])), .stream(.smb, session(type: 0x85, []))),
        CheckCase(
            .netbiosLength, .stream(.netbios, session(length: 0x2_0000, smb2)),
            .stream(.smb, session(length: 0x2_0000, smb2))),
        CheckCase(
            .smbProtocol, .stream(.smb, session(hex("fe534d43") + smb2.dropFirst(4))), .stream(.smb, session(smb2))),
        CheckCase(.smbHeader, .stream(.smb, session(hex("fe534d42 4100") + zeros(58))), .stream(.smb, session(smb2))),
        CheckCase(
            .smbHeader, .stream(.smb, session(hex("ff534d42 72") + zeros(27) + hex("00 0100"))),
            .stream(.smb, session(smb1))),

        CheckCase(.httpRequestLine, http("GET  / HTTP/1.1\r\n\r\n"), http(get + "\r\n")),
        CheckCase(.httpRequestLine, http("GET /\r\n\r\n"), http("PUT /a?b HTTP/1.0\r\n\r\n")),
        CheckCase(
            .httpRequestLineTooLong, http("GET /" + String(repeating: "a", count: 8000)),
            http("GET /" + String(repeating: "a", count: 7000))),
        CheckCase(.httpHeaderLine, http(get + "Host : a\r\n\r\n"), http(get + "Host: a\r\n\r\n")),
        CheckCase(.httpHeaderLine, http(get + "A: b\r\n c\r\n\r\n"), http(get + "A: b\r\nC:\r\n\r\n")),
        CheckCase(.httpHeaderLine, http(get + "A: b\0\r\n\r\n"), http(get + "A: b\r\n\r\n\0")),
        CheckCase(
            .httpHeaderTooLong, http(get + String(repeating: "A: b\r\n", count: 101) + "\r\n"),
            http(get + String(repeating: "A: b\r\n", count: 100) + "\r\n")),
        CheckCase(
            .httpHeaderTooLong, http(get + "A: " + String(repeating: "b", count: 8000)),
            http(get + "A: b\r\n\r\n" + String(repeating: "b", count: 9000))),
        CheckCase(
            .httpAmbiguousLength, http(get + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
            http(get + "Transfer-Encoding: chunked\r\n\r\n")),
        CheckCase(
            .httpAmbiguousLength, http(get + "content-length: 3\r\nContent-Length: 4\r\n\r\n"),
            http(get + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n")),
        CheckCase(
            .httpAmbiguousLength, http(get + "Content-Length: +3\r\n\r\n"), http(get + "Content-Length: 3 \r\n\r\n")),

        CheckCase(
            .tlsRecordType, .stream(.tls, record(hello()) + record(type: 9, [1])),
            .stream(.tls, record(hello()) + record(type: 20, [1]))),
        CheckCase(
            .tlsRecordVersion, .stream(.tls, record(hello()) + record(version: 0x0203, [1])),
            .stream(.tls, record(hello()) + record(version: 0x0303, [1]))),
        CheckCase(
            .tlsRecordTooLong, .stream(.tls, record(length: 18_433, hello())),
            .stream(.tls, record(length: 18_432, hello()))),
        CheckCase(.tlsRecordEmpty, .stream(.tls, record([])), .stream(.tls, record(type: 23, []))),
        CheckCase(
            .tlsClientHello, .stream(.tls, record(hello(suites: hex("0003 1301")))), .stream(.tls, record(hello()))),
        CheckCase(
            .tlsClientHello, .stream(.tls, record(hello(extensions: hex("0004 00170001")))),
            .stream(.tls, record(hello(extensions: [])))),
    ]
}
