import Wire

/// Bytes of hexadecimal text; white space is left out.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    precondition(digits.count % 2 == 0)
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func big16(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
}
func big32(_ number: Int) -> [UInt8] { big16(number >> 16) + big16(number) }
func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }

let data = Array("0123456789abcdef".utf8)

/// RFC 1071.
func checksum(_ bytes: [UInt8]) -> Int {
    var sum = 0
    for (index, byte) in bytes.enumerated() { sum += index & 1 == 0 ? Int(byte) << 8 : Int(byte) }
    while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
    return ~sum & 0xFFFF
}

/// Fills in the checksum of an upper header that has none.
func sealed(_ upper: [UInt8], _ number: UInt8, _ addresses: [UInt8]) -> [UInt8] {
    let place = [6: 16, 17: 6, 1: 2, 58: 2][Int(number)]
    guard let place, upper.count >= place + 2, upper[place] == 0, upper[place + 1] == 0 else { return upper }
    let pseudo = number == 1 ? [] : addresses + [0, number] + big16(upper.count)
    var sum = checksum(pseudo + upper)
    if number == 17, sum == 0 { sum = 0xFFFF }
    return upper[..<place] + big16(sum) + upper[(place + 2)...]
}

func ipv4Address(_ text: String) -> [UInt8] { text.split(separator: ".").map { UInt8($0)! } }

/// An IPv4 packet. What is not given is right, checksums included.
func ipv4(
    _ number: UInt8, _ payload: [UInt8], from: String = "10.0.0.1", to: String = "10.0.0.2", options: [UInt8] = [],
    version: UInt8 = 4, headerWords: Int? = nil, length: Int? = nil, fragment: Int = 0, ttl: UInt8 = 64,
    checksum given: Int? = nil, seal: Bool = true
) -> [UInt8] {
    let addresses = ipv4Address(from) + ipv4Address(to)
    let payload = seal && fragment & 0x3FFF == 0 ? sealed(payload, number, addresses) : payload
    let words = headerWords ?? (20 + options.count) / 4
    var header = [version << 4 | UInt8(words), 0] + big16(length ?? 20 + options.count + payload.count)
    header += big16(0x1234) + big16(fragment) + [ttl, number, 0, 0] + addresses + options
    let sum = given ?? checksum(header)
    header.replaceSubrange(10..<12, with: big16(sum))
    return header + payload
}

/// 2001:db8::1, 2001:db8::2, fe80::1.
let one = hex("20010db8 00000000 00000000 00000001")
let two = hex("20010db8 00000000 00000000 00000002")
let linkLocal = hex("fe800000 00000000 00000000 00000001")
let allNodes = hex("ff020000 00000000 00000000 00000001")

func ipv6(
    _ next: UInt8, _ payload: [UInt8], from: [UInt8] = one, to: [UInt8] = two, version: UInt8 = 6,
    length: Int? = nil, hops: UInt8 = 64, seal: Bool = true
) -> [UInt8] {
    let payload = seal ? sealed(payload, next, from + to) : payload
    return [version << 4, 0, 0, 0] + big16(length ?? payload.count) + [next, hops] + from + to + payload
}

/// An extension header of a multiple of 8 bytes: `body` is what follows its first two.
func extensionHeader(_ next: UInt8, _ body: [UInt8] = [5, 2, 0, 0, 1, 0]) -> [UInt8] {
    [next, UInt8((body.count + 2) / 8 - 1)] + body
}

func fragmentHeader(_ next: UInt8, offset: Int, more: Bool, reserved: UInt8 = 0) -> [UInt8] {
    [next, reserved] + big16(offset | (more ? 1 : 0)) + big32(0x1234_5678)
}

func tcp(
    _ payload: [UInt8] = data, flags: TCPFlags = [.psh, .ack], options: [UInt8] = [], words: Int? = nil,
    reserved: UInt8 = 0, urgent: Int = 0, from: Int = 40000, to: Int = 80
) -> [UInt8] {
    big16(from) + big16(to) + big32(1) + big32(flags.contains(.ack) ? 2 : 0)
        + [UInt8((words ?? (20 + options.count) / 4) << 4) | reserved, flags.rawValue]
        + big16(512) + big16(0) + big16(urgent) + options + payload
}

func udp(_ payload: [UInt8] = data, length: Int? = nil, from: Int = 40000, to: Int = 9999) -> [UInt8] {
    big16(from) + big16(to) + big16(length ?? 8 + payload.count) + big16(0) + payload
}

func icmp(_ type: UInt8, _ code: UInt8 = 0, rest: [UInt8] = [0, 7, 0, 1], _ payload: [UInt8] = data) -> [UInt8] {
    [type, code, 0, 0] + rest + payload
}

let hostMAC = hex("0200 0000 000a")

func ethernet(_ type: Int, _ payload: [UInt8], from: [UInt8] = hostMAC) -> [UInt8] {
    hex("0200 0000 000b") + from + big16(type) + payload
}

func arp(
    _ operation: Int, from: String, mac: [UInt8] = hostMAC, to: String, hardware: Int = 1, lengths: [UInt8] = [6, 4]
) -> [UInt8] {
    big16(hardware) + big16(0x0800) + lengths + big16(operation) + mac + ipv4Address(from) + zeros(6)
        + ipv4Address(to)
}

/// A DNS message of these parts.
func dns(flags: Int = 0x0100, counts: [Int] = [1, 0, 0, 0], _ body: [UInt8]) -> [UInt8] {
    big16(0xBEEF) + big16(flags) + counts.flatMap(big16) + body
}

/// "www." as a label, then the root.
let name = hex("03 777777 00")
let question = name + hex("0001 0001")
/// An address for the name at byte 12.
let answer = hex("c00c 0001 0001 0000003c 0004 0a000002")

func number24(_ number: Int) -> [UInt8] { Array(big32(number)[1...]) }
