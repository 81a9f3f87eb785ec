import Wire

/// Bytes of hexadecimal text; white space is left out.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    precondition(digits.count % 2 == 0)
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A number in network order.
func big16(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
}

func big32(_ number: Int) -> [UInt8] { big16(number >> 16) + big16(number) }

let data = Array("GET / HTTP/1.1\r\n".utf8)

func ethernet(_ type: Int, tags: [(type: Int, control: Int)] = [], _ payload: [UInt8]) -> [UInt8] {
    hex("02 00 00 00 00 0b 02 00 00 00 00 0a") + tags.flatMap { big16($0.type) + big16($0.control) }
        + big16(type) + payload
}

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2. What is not given is right, but the checksum, which is 0.
func ipv4(
    _ number: UInt8, _ payload: [UInt8], options: [UInt8] = [], version: UInt8 = 4, headerWords: Int? = nil,
    length: Int? = nil, fragment: Int = 0
) -> [UInt8] {
    let words = headerWords ?? (20 + options.count) / 4
    return [version << 4 | UInt8(words), 0] + big16(length ?? 20 + options.count + payload.count)
        + big16(0x1234) + big16(fragment) + [64, number, 0, 0] + hex("0a000001 0a000002") + options + payload
}

/// An IPv6 packet from 2001:db8::1 to 2001:db8::2.
func ipv6(
    _ next: UInt8, _ payload: [UInt8], version: UInt8 = 6, length: Int? = nil,
    source: String = "20010db8 00000000 00000000 00000001"
) -> [UInt8] {
    [version << 4, 0, 0, 0] + big16(length ?? payload.count) + [next, 64] + hex(source)
        + hex("20010db8 00000000 00000000 00000002") + payload
}

/// An extension header of a multiple of 8 bytes: `body` is what follows its first two.
func extensionHeader(_ next: UInt8, _ body: [UInt8] = [1, 4, 0, 0, 0, 0]) -> [UInt8] {
    [next, UInt8((body.count + 2) / 8 - 1)] + body
}

func fragmentHeader(_ next: UInt8, offset: Int, more: Bool) -> [UInt8] {
    [next, 0] + big16(offset | (more ? 1 : 0)) + big32(0x1234_5678)
}

/// 40000 to 80.
func tcp(
    _ payload: [UInt8] = data, options: [UInt8] = [], words: Int? = nil, flags: TCPFlags = [.psh, .ack]
) -> [UInt8] {
    big16(40000) + big16(80) + big32(1) + big32(2)
        + [UInt8((words ?? (20 + options.count) / 4) << 4), flags.rawValue]
        + big16(512) + big16(0) + big16(0) + options + payload
}

/// 40000 to 53.
func udp(_ payload: [UInt8] = data, length: Int? = nil) -> [UInt8] {
    big16(40000) + big16(53) + big16(length ?? 8 + payload.count) + big16(0) + payload
}

/// An echo request of either family.
func echo(_ type: UInt8, _ payload: [UInt8] = data) -> [UInt8] {
    [type, 0, 0, 0] + big16(7) + big16(1) + payload
}

func arp(hardware: Int = 1, protocolType: Int = 0x0800, lengths: [UInt8] = [6, 4]) -> [UInt8] {
    big16(hardware) + big16(protocolType) + lengths + big16(1)
        + hex("0200 0000 000a 0a000001 0000 0000 0000 0a000002")
}
