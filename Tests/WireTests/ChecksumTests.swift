import Testing
import Wire

@Suite struct ChecksumTests {
    private func checksum(_ bytes: [UInt8]) -> UInt16 {
        let memory = GuardedBytes(bytes)
        var checksum = InternetChecksum()
        checksum.add(memory.span)
        return checksum.value
    }

    /// The definition, word by word.
    private func slow(_ bytes: [UInt8]) -> UInt16 {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += Int(bytes[index]) << 8 | (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
            sum = (sum & 0xFFFF) + (sum >> 16)
        }
        return ~UInt16(sum)
    }

    /// RFC 1071 §3; and an IPv4 header whose checksum is known.
    @Test func vectors() {
        #expect(checksum(hex("0001 f203 f4f5 f6f7")) == ~0xDDF2)
        #expect(checksum(hex("45000073000040004011 0000 c0a80001c0a800c7")) == 0xB861)
        #expect(checksum([]) == 0xFFFF)
        #expect(checksum([0xFF]) == 0x00FF)
        #expect(checksum([UInt8](repeating: 0xFF, count: 100_000)) == 0)
    }

    @Test func agreesWithTheDefinitionAtEveryLength() {
        var random = Seeded(state: 1071)
        for count in 0...130 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(checksum(bytes) == slow(bytes), "\(count) bytes")
        }
    }

    @Test func partsAddUp() {
        let bytes = (0..<61).map { UInt8(truncatingIfNeeded: $0 &* 73) }
        for cut in stride(from: 0, through: 60, by: 2) {
            var checksum = InternetChecksum()
            let head = GuardedBytes(bytes[..<cut])
            let tail = GuardedBytes(bytes[cut...])
            checksum.add(head.span)
            checksum.add(tail.span)
            #expect(checksum.value == slow(bytes))
        }
    }

    @Test(arguments: [
        ("45", "b861", true), ("45", "b862", false), ("46", "b861", false), ("44", "b861", false),
    ])
    func ipv4Header(_ first: String, _ sum: String, _ answer: Bool) {
        let memory = GuardedBytes(hex(first + "000073000040004011" + sum + "c0a80001c0a800c7"))
        #expect(IPv4Header(memory.span)?.hasValidChecksum == answer)
    }

    /// `bytes` with the checksum at `offset` made right, from the definition and an RFC 8200 pseudo-header.
    private func completed(_ bytes: [UInt8], offset: Int, _ transport: Int, _ pseudo: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let sum = slow(pseudo + bytes[transport...])
        bytes.replaceSubrange(offset..<offset + 2, with: big16(Int(sum)))
        return bytes
    }

    private func verdict(_ bytes: [UInt8]) -> Bool? {
        let memory = GuardedBytes(bytes)
        return Decoder.decode(memory.span, as: .ip).hasValidTransportChecksum(in: memory.span)
    }

    @Test(arguments: [
        (ipv4(6, tcp()), 36, 20), (ipv4(17, udp()), 26, 20), (ipv4(6, tcp(data.dropLast())), 36, 20),
        (ipv6(6, tcp()), 56, 40), (ipv6(17, udp()), 46, 40), (ipv6(58, echo(128)), 42, 40),
        (ipv6(60, extensionHeader(6) + tcp()), 64, 48),
    ]) func transport(_ bytes: [UInt8], _ field: Int, _ start: Int) {
        let isV4 = bytes[0] >> 4 == 4
        let number: UInt8 = isV4 ? bytes[9] : bytes[6] == 60 ? 6 : bytes[6]
        let addresses = isV4 ? bytes[12..<20] : bytes[8..<40]
        var good = completed(
            bytes, offset: field, start, Array(addresses) + big32(bytes.count - start) + big32(Int(number)))
        #expect(verdict(good) == true)
        // Ethernet padding is not part of the sum.
        #expect(verdict(good + [1, 2, 3, 4]) == true)
        good[good.count - 1] ^= 1
        #expect(verdict(good) == false)
    }

    @Test func icmpHasNoPseudoHeader() {
        let good = completed(ipv4(1, echo(8)), offset: 22, 20, [])
        #expect(verdict(good) == true)
        #expect(verdict(Array(good.dropLast()) + [0]) == false)
    }

    @Test(arguments: [
        ("no UDP checksum", ipv4(17, udp())),
        ("fragment", ipv4(17, udp(), fragment: 0x2000)),
        ("truncated", ipv4(6, tcp(), length: 90)),
        ("GRE", ipv4(47, data)),
        ("malformed", ipv4(6, tcp(words: 4))),
        ("source route", ipv6(43, extensionHeader(6, hex("0401 00000000")) + tcp())),
    ]) func nothingToSay(_ name: String, _ bytes: [UInt8]) { #expect(verdict(bytes) == nil) }
}
