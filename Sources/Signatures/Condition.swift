/// A number that a rule asks about, beside ports and addresses. What a packet does not have matches nothing.
enum Field: UInt8, BitwiseCopyable, Sendable {
    // Packets.
    case payloadSize, icmpType, icmpCode, icmpIdentifier, icmpSequence, pathMTU
    case hopLimit, trafficClass, identification, ipProtocol, fragmentBits, fragmentOffset, sameAddress, ipOptions
    case ipVersion, igmpType
    case tcpFlags, sequence, acknowledgement, window, maximumSegment, windowScale
    /// `auxiliary` is the layer, the outermost 0; −1…−3 from the innermost; `anyLayer`, `allLayers`.
    case vlan
    case vlanLayers, isARP, isEthernet
    /// `auxiliary` is the event's number.
    case decodeEvent, streamEvent
    /// 1 if it is right, 0 if it is wrong; `auxiliary` says of what (`Checksum`).
    case checksum
    // Flows. Ages in seconds.
    case flowAge, packetsToServer, packetsToClient, packetsEither, bytesToServer, bytesToClient, bytesEither
    case streamOfServer, streamOfClient, streamOfBoth, streamOfEither, application
}

/// One field of a packet or a flow, and what it must be.
struct Condition: BitwiseCopyable, Sendable, Hashable {
    enum Operation: UInt8, BitwiseCopyable, Sendable {
        case within, outside
        /// Sets of bits: `low` which, `high` those that count.
        case exactly, otherThan, all, any, notAll, noneOf
    }

    static let anyLayer: Int16 = 100
    static let allLayers: Int16 = 101

    var field: Field
    var operation: Operation
    var auxiliary: Int16 = 0
    var low: Int64
    var high: Int64

    init(_ field: Field, _ test: NumberTest, auxiliary: Int16 = 0) {
        self.field = field
        self.auxiliary = auxiliary
        low = test.low
        if let mask = test.mask {
            operation = test.inverted ? .otherThan : .exactly
            high = Int64(mask)
        } else {
            operation = test.inverted ? .outside : .within
            high = test.high
        }
    }

    init(_ field: Field, _ operation: Operation, bits: Int64, counted: Int64 = .max, auxiliary: Int16 = 0) {
        self.field = field
        self.operation = operation
        self.auxiliary = auxiliary
        low = bits
        high = counted
    }

    @inline(__always)
    func holds(_ value: Int64) -> Bool {
        switch operation {
        case .within: value >= low && value <= high
        case .outside: value < low || value > high
        case .exactly: value & high == low
        case .otherThan: value & high != low
        case .all: value & high & low == low
        case .any: value & high & low != 0
        case .notAll: value & high & low != low
        case .noneOf: value & high & low == 0
        }
    }
}

extension Condition {
    /// `flags`
    init(_ flags: FlagsTest) {
        // `0` says what it means of every flag, counted or not.
        let counted: Int64 = flags.flags == 0 ? 0xFF : Int64(flags.mask)
        let operation: Operation =
            switch flags.mode {
            case .exactly: .exactly
            case .all: flags.flags == 0 ? .exactly : .all
            case .any: flags.flags == 0 ? .exactly : .any
            case .notAll: flags.flags == 0 ? .any : .notAll
            }
        let bits: Int64 = flags.flags == 0 && operation == .any ? 0xFF : Int64(flags.flags)
        self.init(.tcpFlags, operation, bits: bits, counted: counted)
    }
}
