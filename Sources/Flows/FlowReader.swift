public import Wire

/// Looks into a worker's flows for another worker.
///
/// The kernel gives an ICMP error to a worker by the error's own addresses, so it is not always the one that has the
/// flow it is about. The owner may write meanwhile: the steps are bounded, indices stay within the array, and what is
/// read half changed makes at worst one error be believed, or doubted, that should not be. Valid while the table lives.
@safe @frozen
public struct FlowReader: @unchecked Sendable, BitwiseCopyable {
    private let flows: UnsafeMutablePointer<Flow>
    private let buckets: UnsafeMutablePointer<UInt32>
    private let bucketMask: UInt64
    private let records: UInt32
    private let secret: SecretHash

    init(
        flows: UnsafeMutablePointer<Flow>, buckets: UnsafeMutablePointer<UInt32>, bucketMask: UInt64, records: Int,
        secret: SecretHash
    ) {
        unsafe self.flows = unsafe flows
        unsafe self.buckets = unsafe buckets
        self.bucketMask = bucketMask
        self.records = UInt32(records)
        self.secret = secret
    }

    /// What a table tells of a packet that an ICMP error quotes.
    public enum Answer: Sendable {
        /// It has no flow that the packet would be of.
        case unknown
        /// The packet may have been sent.
        case mayBe
        /// The flow is there, but the quoted sequence number is of nothing that is under way (RFC 5927 §4.1).
        case isOutside
    }

    /// Flows of one bucket that are looked at.
    private static let mostSteps = 64

    /// `vlan` as for `FlowTable.track`. `mayBe` for a protocol without ports that is no echo.
    public func find(_ quoted: QuotedPacket, vlan: UInt32) -> Answer {
        let ports: (UInt16, UInt16)
        if let identifier = quoted.echoIdentifier {
            ports = (identifier, identifier)
        } else if quoted.destinationPort != 0 {
            ports = (quoted.sourcePort, quoted.destinationPort)
        } else {
            return .mayBe
        }
        let key = FlowKey(
            source: quoted.source, destination: quoted.destination, sourcePort: ports.0, destinationPort: ports.1,
            vlan: vlan, ipProtocol: quoted.ipProtocol)
        var index = unsafe buckets[Int(key.hash(secret) & bucketMask)]
        for _ in 0..<FlowReader.mostSteps {
            guard index != 0, index <= records else { return .unknown }
            let flow = unsafe flows + Int(index)
            if let toServer = unsafe key.direction(in: flow) {
                guard let number = quoted.sequence else { return .mayBe }
                return unsafe flow.pointee.session.mayHaveSent(number, toServer: toServer) ? .mayBe : .isOutside
            }
            index = unsafe flow.pointee.next
        }
        return .mayBe
    }
}

extension TCPSession {
    /// Whether a segment with this number may be under way, or was until a window ago: errors come later.
    fileprivate func mayHaveSent(_ number: UInt32, toServer: Bool) -> Bool {
        let sender = toServer ? client : server
        let receiver = toServer ? server : client
        guard state != .none, sender.flags.contains(.isOpen) else { return true }
        let ahead = Int32(bitPattern: number &- sender.next)
        let behind = Int32(bitPattern: sender.acknowledged &- number)
        return ahead <= 0 && behind <= max(65_535, Int32(clamping: receiver.window))
    }
}

extension FlowTable {
    /// By which another worker looks into it.
    public var reader: FlowReader {
        unsafe FlowReader(
            flows: flows, buckets: buckets, bucketMask: bucketMask, records: records, secret: secret)
    }
}
