public import Wire

/// Looks into a worker's flows for another worker.
///
/// The kernel gives an ICMP error to a worker by the error's own addresses, so it is not always the one that has the
/// flow it is about. The owner writes meanwhile and never waits: what was read while it did is read again. Valid while
/// the table lives.
@safe
public struct FlowReader: @unchecked Sendable, BitwiseCopyable {
    private let flows: UnsafeMutablePointer<Flow>
    private let buckets: UnsafeMutablePointer<UInt32>
    private let bucketMask: UInt64
    private let records: UInt32
    private let secret: SecretHash
    private let changes: ChangeCount

    init(
        flows: UnsafeMutablePointer<Flow>, buckets: UnsafeMutablePointer<UInt32>, bucketMask: UInt64, records: Int,
        secret: SecretHash, changes: ChangeCount
    ) {
        unsafe self.flows = unsafe flows
        unsafe self.buckets = unsafe buckets
        self.bucketMask = bucketMask
        self.records = UInt32(records)
        self.secret = secret
        self.changes = changes
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
    /// How often is read again. An owner is at a record for a small part of its time.
    private static let mostReadings = 64

    /// `vlan` as for `FlowTable.track`. `mayBe` for a protocol without ports that is no echo, and where the owner would
    /// not let us read.
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
        for _ in 0..<FlowReader.mostReadings {
            if let answer = read(key, quoted.sequence) { return answer }
        }
        return .mayBe
    }

    /// nil if something changed meanwhile. Until that is known, what was read may be of two flows; an index is within the
    /// array all the same.
    func read(_ key: FlowKey, _ sequence: UInt32?) -> Answer? {
        guard let before = changes.standing else { return nil }
        var index = unsafe buckets[Int(key.hash(secret) & bucketMask)]
        for _ in 0..<FlowReader.mostSteps {
            guard changes.stands(since: before) else { return nil }
            guard index != 0, index <= records else { return .unknown }
            let flow = unsafe flows + Int(index)
            if let toServer = unsafe key.direction(in: flow) {
                let mayBe =
                    sequence.map { unsafe flow.pointee.session.mayHaveSent($0, toServer: toServer) } ?? true
                guard changes.stands(since: before) else { return nil }
                return mayBe ? .mayBe : .isOutside
            }
            index = unsafe flow.pointee.next
        }
        return changes.stands(since: before) ? .mayBe : nil
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
            flows: flows, buckets: buckets, bucketMask: bucketMask, records: records, secret: secret,
            changes: changes)
    }
}
