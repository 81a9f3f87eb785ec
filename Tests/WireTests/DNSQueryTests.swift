import Testing
import Wire

@Suite("A DNS query with one question")
struct DNSQueryTests {
    /// Who asks for the addresses of www.lab, with EDNS behind the question.
    static let header: [UInt8] = [0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    static let question: [UInt8] = [3] + Array("www".utf8) + [3] + Array("lab".utf8) + [0, 0, 1, 0, 1]
    static let options: [UInt8] = [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
    static let query = header + question + options

    private func length(_ message: [UInt8]) -> Int? { unsafe DNSQuery(message.span.bytes)?.bytes.byteCount }

    @Test("It is the header and the question, whatever stands behind")
    func whole() {
        #expect(length(Self.query) == 12 + 13)
        #expect(length(Self.header + Self.question) == 12 + 13)
        #expect(length(Self.header + [0, 0, 2, 0, 1]) == 12 + 5, "the root")
        for count in 0..<25 { #expect(length(Array(Self.query[..<count])) == nil, "\(count) bytes") }
    }

    @Test("A name of 255 bytes is one, a longer one is not")
    func longest() {
        let label = [UInt8(63)] + [UInt8](repeating: 0x61, count: 63)
        let most = label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0]
        #expect(most.count == 255)
        #expect(length(Self.header + most + [0, 1, 0, 1]) == DNSQuery.longest)
        let more = label + label + label + [62] + [UInt8](repeating: 0x61, count: 62) + [0]
        #expect(length(Self.header + more + [0, 1, 0, 1]) == nil)
    }

    @Test(
        "Answers, other opcodes, more questions, records in it and pointers are no such query",
        arguments: [
            (2, UInt8(0x81)), (2, 0x09), (2, 0x03), (2, 0x05), (5, 2), (5, 0), (4, 1), (7, 1), (9, 1), (12, 0xC0),
        ])
    func refused(_ place: Int, _ byte: UInt8) {
        var message = Self.query
        message[place] = byte
        #expect(length(message) == nil)
    }
}
