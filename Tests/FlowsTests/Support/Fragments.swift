import Wire

@testable import Flows

/// A fragment as a test says it.
struct Part: Sendable {
    var offset = 0
    var data: [UInt8] = []
    var more = true
    var version = 4
    var identification = 1
    var ipProtocol: UInt8 = 17
    var vlan: UInt32 = 0
    var domain: UInt64 = 0
    var card: UInt64 = 0
    /// IPv4: options. IPv6: a destination options header before the fragment header.
    var hasOptions = false
    var checksumIsGood = true

    init(_ offset: Int, _ text: String, more: Bool = true) {
        self.init(offset, Array(text.utf8), more: more)
    }

    init(_ offset: Int, _ data: [UInt8], more: Bool = true) {
        self.offset = offset
        self.data = data
        self.more = more
    }

    func with(_ change: (inout Part) -> Void) -> Part {
        var part = self
        change(&part)
        return part
    }

    var bytes: [UInt8] { version == 4 ? ipv4 : ipv6 }

    private var ipv4: [UInt8] {
        let options: [UInt8] = hasOptions ? [0x94, 4, 0, 0] : []
        let word = offset / 8 | (more ? 0x2000 : 0)
        var header: [UInt8] = [UInt8(0x45 + options.count / 4), 0] + be16(20 + options.count + data.count)
        header += be16(identification) + be16(word) + [64, ipProtocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7] + options
        let sum = Part.checksum(header) ^ (checksumIsGood ? 0 : 1)
        header.replaceSubrange(10..<12, with: be16(Int(sum)))
        return header + data
    }

    private var ipv6: [UInt8] {
        let options: [UInt8] = hasOptions ? [44, 0, 1, 4, 0, 0, 0, 0] : []
        let fragment = [ipProtocol, 0] + be16(offset | (more ? 1 : 0)) + be16(0) + be16(identification)
        return [0x60, 0, 0, 0] + be16(options.count + 8 + data.count) + [hasOptions ? 60 : 44, 64] + Part.address(1)
            + Part.address(7) + options + fragment + data
    }

    private static func address(_ last: UInt8) -> [UInt8] {
        [0x20, 1, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [last]
    }

    static func checksum(_ header: [UInt8]) -> UInt16 {
        var sum = InternetChecksum()
        unsafe sum.add(header.span.bytes)
        return sum.value
    }
}

func be16(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)] }

/// A table, and the clock of its fragments.
struct Reassembler: ~Copyable {
    var table: FragmentTable
    /// Milliseconds since the first fragment could come.
    var clock = 0

    init(isInline: Bool, capacity: Int = 64, bytes: Int = 1 << 20, policy: FragmentOverlap? = nil) {
        table = FragmentTable(
            capacity: capacity, bytes: bytes, mode: FlowMode(isInline: isInline, midstream: true), policy: policy,
            seed: 7)
    }

    /// Adds a fragment and says that it passed if the table let it; returns what the table said, and the bytes
    /// of the whole packet if there is one.
    mutating func add(_ part: Part, dropped: Bool = false) -> (step: FragmentStep, whole: [UInt8]?) {
        let bytes = part.bytes
        let packet = unsafe Decoder.decode(bytes.span.bytes, as: .ip)
        let place = FragmentPlace(
            time: 1_700_000_000_000_000_000 + UInt64(clock) * 1_000_000, vlan: part.vlan, domain: part.domain,
            card: part.card)
        let step = unsafe table.add(packet, bytes.span.bytes, place, into: 0)
        table.settle(isDropped: dropped || step.refusal != .none)
        guard step.assembledLength > 0 else { return (step, nil) }
        let start = unsafe table.assembled(0)
        return (step, (0..<step.assembledLength).map { unsafe start[$0] })
    }

    /// The data of the datagram that the last of these made whole.
    mutating func data(_ parts: [Part]) -> String? {
        var found: String?
        for part in parts {
            guard let whole = add(part).whole else { continue }
            let header = part.version == 6 ? 40 + (part.hasOptions ? 8 : 0) : part.hasOptions ? 24 : 20
            found = String(decoding: whole.dropFirst(header), as: UTF8.self)
        }
        return found
    }

    mutating func refusal(_ part: Part) -> FragmentStep.Refusal { add(part).step.refusal }
}

/// `count` times the letter.
func run(_ letter: Character, _ count: Int) -> String { String(repeating: letter, count: count) }
