import CNetfilter

/// The bytes of netlink messages to nf_tables (linux/netlink.h, nfnetlink.h, nf_tables.h). Headers are in
/// host byte order, attribute values as each attribute wants them; everything is padded to 4 bytes.
struct NetlinkMessages: Equatable {
    private(set) var bytes: [UInt8] = []
    private(set) var lastSequence: UInt32 = 0

    enum Kind {
        case batchBegin, batchEnd
        /// NFT_MSG_…
        case nfTables(Int)

        var type: UInt16 {
            switch self {
            case .batchBegin: UInt16(NFNL_MSG_BATCH_BEGIN)
            case .batchEnd: UInt16(NFNL_MSG_BATCH_END)
            case .nfTables(let message): UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(message)
            }
        }

        /// nfgenmsg.res_id: a batch names the subsystem that it is for.
        var resource: UInt16 {
            switch self {
            case .batchBegin, .batchEnd: UInt16(NFNL_SUBSYS_NFTABLES)
            case .nfTables: 0
            }
        }
    }

    /// Adds a message; `family` is NFPROTO_…, `flags` go with NLM_F_REQUEST.
    mutating func add(
        _ kind: Kind, family: UInt8 = 0, flags: UInt16 = 0, _ attributes: (inout Attributes) -> Void = { _ in }
    ) {
        var body = Attributes()
        attributes(&body)
        lastSequence += 1
        append(UInt32(20 + body.bytes.count))
        append(kind.type)
        append(UInt16(NLM_F_REQUEST) | flags)
        append(lastSequence)
        append(UInt32(0))
        bytes += [family, UInt8(NFNETLINK_V0)]
        append(kind.resource.bigEndian)
        bytes += body.bytes
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
    }

    struct Attributes {
        private(set) var bytes: [UInt8] = []

        mutating func put(_ type: Int, _ value: [UInt8]) {
            let length = UInt16(4 + value.count)
            unsafe withUnsafeBytes(of: length) { unsafe bytes.append(contentsOf: $0) }
            unsafe withUnsafeBytes(of: UInt16(truncatingIfNeeded: type)) { unsafe bytes.append(contentsOf: $0) }
            bytes += value
            while bytes.count % 4 != 0 { bytes.append(0) }
        }

        mutating func put(_ type: Int, string: String) {
            put(type, Array(string.utf8) + [0])
        }

        mutating func put(_ type: Int, bigEndian value: UInt32) {
            put(type, unsafe withUnsafeBytes(of: value.bigEndian) { unsafe Array($0) })
        }

        mutating func nest(_ type: Int, _ inner: (inout Attributes) -> Void) {
            var nested = Attributes()
            inner(&nested)
            put(type | Int(NLA_F_NESTED), nested.bytes)
        }
    }
}

/// A walk over the attributes of a message that was received; ends at the first that does not fit.
struct NetlinkAttributes: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The type without the flag bits, and the value.
    mutating func next() -> (type: Int, value: ArraySlice<UInt8>)? {
        guard rest.count >= 4 else { return nil }
        let start = rest.startIndex
        let length = Int(rest[start]) | Int(rest[start + 1]) << 8
        let type = Int(rest[start + 2]) | Int(rest[start + 3] & 0x3F) << 8
        guard length >= 4, length <= rest.count else { return nil }
        let value = rest[start + 4..<start + length]
        rest = rest.dropFirst((length + 3) & ~3)
        return (type, value)
    }

    /// The value of the first attribute of that type.
    func value(_ type: some BinaryInteger) -> ArraySlice<UInt8>? {
        first { $0.type == Int(type) }?.value
    }

    /// A string attribute, up to its zero byte.
    func string(_ type: some BinaryInteger) -> String? {
        value(type).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// A number in network byte order.
    func number(_ type: some BinaryInteger) -> UInt64? {
        value(type).flatMap { $0.count <= 8 ? $0.reduce(0) { $0 << 8 | UInt64($1) } : nil }
    }
}
