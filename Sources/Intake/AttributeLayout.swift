/// Where the attributes of an NFQNL_MSG_PACKET message stand.
///
/// To read them, the length of each must be known before the next is found: a chain that a processor cannot shorten.
/// But the kernel writes the attributes of one packet like those of the one before, nearly always, and to compare all
/// lengths with known ones is no chain.
@safe
struct AttributeLayout {
    /// After struct nlmsghdr (16) and struct nfgenmsg (4).
    static var start: Int { 20 }
    /// struct nlattr: bytes with the header, and type, in host order.
    static var headerSize: Int { 4 }
    /// Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    static var typeMask: UInt16 { 0x3FFF }
    /// More attributes than the kernel writes are read, but not remembered.
    private static var mostHeads: Int { 16 }

    /// By type, the offset of the value (low half) and its bytes (high half); 0 for none. Of two of one type the last
    /// stands.
    private var places = InlineArray<24, UInt64>(repeating: 0)
    /// Of all attributes but the payload, the offset (low half) and the four bytes there (high half).
    private var heads = InlineArray<16, UInt64>(repeating: 0)
    /// −1 for a layout that another message is not compared with.
    private var headCount = -1
    /// Where the last attribute begins, which is the payload. Its length is each packet's own.
    private var payload = 0

    /// Reads the attributes of `message` up to `end`, which is within it.
    @inline(never)
    init(_ message: borrowing RawSpan, to end: Int) {
        var offset = AttributeLayout.start
        var count = 0
        while offset &+ AttributeLayout.headerSize <= end {
            let head = message.load32(at: offset)
            let size = Int(head & 0xFFFF)
            guard size >= AttributeLayout.headerSize, offset &+ size <= end else { return }
            let type = Int(UInt16(truncatingIfNeeded: head >> 16) & AttributeLayout.typeMask)
            if type < 24 { places[type] = AttributeLayout.place(offset, size) }
            let next = offset &+ ((size &+ 3) & ~3)
            if type == Attribute.payload.rawValue, next >= end, count <= AttributeLayout.mostHeads {
                payload = offset
                headCount = count
                return
            }
            if count < AttributeLayout.mostHeads {
                heads[count] = UInt64(head) << 32 | UInt64(truncatingIfNeeded: offset)
            }
            count &+= 1
            offset = next
        }
    }

    init() {}

    /// Whether the attributes of `message`, which ends at `end`, stand in the same places. Then its payload's length
    /// is taken over.
    @inline(__always)
    mutating func fits(_ message: borrowing RawSpan, to end: Int) -> Bool {
        guard headCount >= 0, payload &+ AttributeLayout.headerSize <= end else { return false }
        var difference: UInt32 = 0
        for index in 0..<headCount {
            let head = heads[index]
            difference |= message.load32(at: Int(head & 0xFFFF_FFFF)) ^ UInt32(truncatingIfNeeded: head >> 32)
        }
        let last = message.load32(at: payload)
        let size = Int(last & 0xFFFF)
        guard difference == 0, last >> 16 == UInt32(Attribute.payload.rawValue),
            size >= AttributeLayout.headerSize, payload &+ size <= end, payload &+ size &+ 3 >= end
        else { return false }
        places[Attribute.payload.rawValue] = AttributeLayout.place(payload, size)
        return true
    }

    @inline(__always)
    private static func place(_ offset: Int, _ size: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: size &- headerSize) << 32 | UInt64(truncatingIfNeeded: offset &+ headerSize)
    }

    @inline(__always)
    subscript(_ attribute: Attribute) -> (start: Int, count: Int) {
        let place = places[attribute.rawValue]
        return (Int(place & 0xFFFF_FFFF), Int(place >> 32))
    }
}

/// enum nfqnl_attr_type (linux/netfilter/nfnetlink_queue.h), as far as it is read.
enum Attribute: Int {
    case packetHeader = 1
    case mark = 3
    case inputDevice = 5
    case physicalInput = 7
    case physicalOutput = 8
    case hardwareAddress = 9
    case payload = 10
    case originalLength = 13
    case packetInfo = 14
    case vlan = 19
    case linkHeader = 20
}

/// The layouts of the messages before: of packets that go one way and of those that go the other.
@safe
struct AttributeLayouts {
    private(set) var last = AttributeLayout()
    private var other = AttributeLayout()

    /// Makes `last` that of `message`.
    @inline(__always)
    mutating func find(_ message: borrowing RawSpan, to end: Int) {
        if !last.fits(message, to: end) { change(message, to: end) }
    }

    @inline(never)
    private mutating func change(_ message: borrowing RawSpan, to end: Int) {
        swap(&last, &other)
        if !last.fits(message, to: end) { last = AttributeLayout(message, to: end) }
    }
}
