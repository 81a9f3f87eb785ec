import Glibc
public import Wire

/// How flows are followed.
public struct FlowMode: Sendable, Equatable {
    /// Who follows decides what passes: what contradicts the stream is refused.
    public var isInline: Bool
    /// TCP connections are taken up in their middle.
    public var midstream: Bool
    /// Inline: what cannot be kept until it can be inspected passes, looked at by itself.
    public var passesExceptions: Bool
    /// Listening: what the receivers make of segments that contradict each other.
    public var overlap: SegmentOverlap
    public var urgent: UrgentData

    public init(
        isInline: Bool, midstream: Bool, passesExceptions: Bool = false, overlap: SegmentOverlap = .bsd,
        urgent: UrgentData = .both
    ) {
        self.isInline = isInline
        self.midstream = midstream
        self.passesExceptions = passesExceptions
        self.overlap = overlap
        self.urgent = urgent
    }
}

public struct FlowCounters: Sendable, Equatable {
    public var made: UInt64 = 0
    /// Flows that had to go for a new one though they were not over.
    public var evicted: UInt64 = 0
    /// Variables that found no room.
    public var variablesLost: UInt64 = 0
    /// Streams that lost what was kept of them to another.
    public var historiesLost: UInt64 = 0
    /// Places where bytes are missing that will not come any more.
    public var gaps: UInt64 = 0
    /// Segments that were kept to be inspected later, and those that found no room, or none for what they call urgent.
    public var held: UInt64 = 0
    public var refused: UInt64 = 0
    /// Segments whose bytes differ from those seen before at the same place.
    public var contradictions: UInt64 = 0
    /// Listening: flows that ended in such a crowd that what was left of them was not looked at.
    public var lostAtEnd: UInt64 = 0
    /// Retransmissions of bytes that are no longer known.
    public var unverified: UInt64 = 0
}

/// The flows that one worker sees, in memory of fixed size. When it is full, the flow that was idle for
/// longest goes.
@safe
public struct FlowTable: ~Copyable {
    let flows: UnsafeMutablePointer<Flow>
    let buckets: UnsafeMutablePointer<UInt32>
    let bucketMask: UInt64
    let secret: SecretHash
    /// Readers look on while records change: whose they are, how they are found, and what is known of connections.
    let changes = ChangeCount()
    public let capacity: Int
    /// Those of ended flows included.
    let records: Int
    /// A captured packet makes at most as many flows as packets are inspected for it.
    private static let spare = 64
    /// Records that were ever used, and the first of those given back; both from 1.
    var used: UInt32 = 0
    var free: UInt32 = 0
    /// By age: flows that are not established, and the others. A flood of the first kind does not make us forget
    /// the second.
    var young = AgeList<Flow>()
    var old = AgeList<Flow>()
    /// Listening only: flows that are over, and of whose streams something was not inspected yet.
    var unfinished: UInt32 = 0
    /// What is told of those that are over.
    var ended: EndedFlows
    /// The record that was looked at last for its age, and when.
    var swept: UInt32 = 0
    var lastSweep: UInt64 = 0
    /// Packets at a flow's beginning, and from each on which something was found, that are kept as evidence.
    public var keeps: UInt8 = 0
    private var nextIdentifier: UInt64 = 1
    /// Of the flow that was made last.
    public var lastIdentifier: UInt64 { nextIdentifier &- 1 }
    /// Where in a flow the two streams are.
    let clientOffset = MemoryLayout<Flow>.offset(of: \.session.client)!
    let serverOffset = MemoryLayout<Flow>.offset(of: \.session.server)!

    public let mode: FlowMode
    public internal(set) var counters = FlowCounters()
    public private(set) var count = 0
    var variables: VariablePool
    var streams: StreamPools
    var reading = UrgentReading()

    /// For `capacity` flows, `variables` flowbits and flowints of all of them, and `streamBytes` of kept
    /// payload. `endings`: ended flows that may wait to be taken; 0 where nobody takes them.
    public init(
        capacity: Int, variables: Int, streamBytes: Int, mode: FlowMode, endings: Int = 0,
        seed: UInt64 = .random(in: .min ... .max)
    ) {
        precondition(capacity > 0 && capacity < Int(UInt32.max))
        self.capacity = capacity
        self.mode = mode
        secret = SecretHash(seed: seed)
        var size = 1
        while size < capacity { size *= 2 }
        bucketMask = UInt64(size - 1)
        // Zero pages, which cost nothing until they are written.
        unsafe buckets = unsafe calloc(size, 4)!.bindMemory(to: UInt32.self, capacity: size)
        records = capacity + (mode.isInline ? 0 : FlowTable.spare)
        unsafe flows = unsafe calloc(records + 1, MemoryLayout<Flow>.stride)!
            .bindMemory(to: Flow.self, capacity: records + 1)
        self.variables = VariablePool(capacity: variables)
        ended = EndedFlows(capacity: endings, records: records + 1)
        streams = StreamPools(bytes: streamBytes, isInline: mode.isInline)
    }

    deinit {
        changes.deallocate()
        unsafe Glibc.free(buckets)
        unsafe Glibc.free(flows)
    }

    /// Bytes of address space that the table takes for good; the pages of flows never used are not backed.
    public var memoryBytes: Int { recordBytes + streamBytes + ended.memoryBytes }

    /// Those for the flows, the buckets by which they are found, and their variables.
    public var recordBytes: Int {
        (records + 1) * MemoryLayout<Flow>.stride + (Int(bucketMask) + 1) * 4 + variables.memoryBytes
    }

    /// Those for what is kept of streams.
    public var streamBytes: Int { streams.memoryBytes }

    // MARK: - Following

    /// Finds or makes the flow of a packet and follows its state. `vlan` is the tags' identifiers, `time`
    /// nanoseconds since the Unix epoch. A packet whose checksum is wrong counts, but changes nothing. What it did is
    /// written to `step`, a fresh one: a record of this size that is returned is copied, field after field just
    /// written.
    public mutating func track(
        _ packet: @_addressable Packet, _ bytes: RawSpan, vlan: UInt32, time: UInt64, checksumIsGood: Bool,
        into step: inout FlowStep
    ) {
        guard let key = FlowKey(packet, bytes, vlan: vlan) else { return }
        let bucket = unsafe buckets + Int(key.hash(secret) & bucketMask)
        let flow = unsafe find(key, bucket, time, packet, &step)
        unsafe step.flow = unsafe flow
        let before = unsafe flow.pointee.state
        let wasEstablished = before != .new
        let length = UInt64(truncatingIfNeeded: max(0, packet.statedLength))
        if step.toServer {
            unsafe flow.pointee.packetsToServer &+= flow.pointee.packetsToServer == .max ? 0 : 1
            unsafe flow.pointee.bytesToServer &+= length
            if unsafe flow.pointee.packetsToServer & 0x3FF == 0, unsafe isPouring(flow) {
                step.changes.insert(.pouring)
            }
        } else {
            unsafe flow.pointee.packetsToClient &+= flow.pointee.packetsToClient == .max ? 0 : 1
            unsafe flow.pointee.bytesToClient &+= length
            if unsafe !flow.pointee.flags.contains(.answered) {
                unsafe flow.pointee.flags.insert(.answered)
                step.changes.insert(.answered)
            }
        }
        if packet.kind == .tcp {
            let flags = packet.tcpFlags.rawValue
            if step.toServer {
                unsafe flow.pointee.marksToServer |= flags
            } else {
                unsafe flow.pointee.marksToClient |= flags
            }
            if checksumIsGood {
                changes.begin()
                unsafe follow(flow, packet, bytes, &step)
                changes.end()
                // Whether its receiver takes data before the handshake is complete nobody knows: it is looked at as
                // a packet as well.
                if unsafe flow.pointee.state == .new { step.isAdded = false }
                if !mode.isInline, step.window.freshLength == 0, isReady(step) { _ = nextWindow(&step) }
            }
        } else {
            if unsafe flow.pointee.state == .new && flow.pointee.flags.contains(.answered) {
                unsafe flow.pointee.state = .established
            }
            if packet.kind == .icmp || packet.kind == .icmp6 {
                if step.toServer {
                    unsafe flow.pointee.marksToServer = packet.icmpType
                } else {
                    unsafe flow.pointee.marksToClient = packet.icmpType
                }
            }
        }
        let after = unsafe flow.pointee.state
        if after != before { step.changes.insert(after == .closed ? .closed : .established) }
        step.isEstablished =
            unsafe wasEstablished || (flow.pointee.state != .new && (packet.kind != .tcp || packet.payloadLength > 0))
    }

    /// The flow that a packet would belong to, if there is one: nothing is made, counted or touched.
    public func peek(
        _ packet: @_addressable Packet, _ bytes: RawSpan, vlan: UInt32, time: UInt64
    ) -> UnsafePointer<Flow>? {
        guard let key = FlowKey(packet, bytes, vlan: vlan) else { return nil }
        var index = unsafe buckets[Int(key.hash(secret) & bucketMask)]
        while index != 0 {
            let flow = unsafe flows + Int(index)
            if unsafe key.direction(in: flow) != nil {
                return unsafe isOver(flow, time, packet) ? nil : UnsafePointer(flow)
            }
            index = unsafe flow.pointee.next
        }
        return nil
    }

    /// Asked once in 1,024 packets.
    @inline(never)
    private func isPouring(_ flow: UnsafeMutablePointer<Flow>) -> Bool {
        unsafe flow.pointee.packetsToClient == 0 && flow.pointee.packetsToServer.nonzeroBitCount == 1
    }

    @inline(__always)
    private mutating func find(
        _ key: FlowKey, _ bucket: UnsafeMutablePointer<UInt32>, _ time: UInt64, _ packet: @_addressable Packet,
        _ step: inout FlowStep
    ) -> UnsafeMutablePointer<Flow> {
        var index = unsafe bucket.pointee
        while index != 0 {
            let flow = unsafe flows + Int(index)
            if let toServer = unsafe key.direction(in: flow) {
                step.toServer = toServer
                if unsafe isOver(flow, time, packet) {
                    let isSilent =
                        unsafe time > flow.pointee.lastTime
                        && time - flow.pointee.lastTime > FlowTimeout.nanoseconds(flow)
                    changes.begin()
                    let isAside = end(index, isSilent ? .timeout : .reuse)
                    if !isAside { unsafe begin(flow, key, time, packet, &step) }
                    changes.end()
                    if isAside { return unsafe make(key, bucket, time, packet, &step) }
                    unsafe relink(index, flow)
                } else {
                    unsafe touch(index, flow, time)
                }
                return unsafe flow
            }
            index = unsafe flow.pointee.next
        }
        return unsafe make(key, bucket, time, packet, &step)
    }

    /// Whether what is found is of the past: idle for too long, or a closed TCP connection that begins anew.
    private func isOver(_ flow: UnsafeMutablePointer<Flow>, _ time: UInt64, _ packet: @_addressable Packet) -> Bool {
        let last = unsafe flow.pointee.lastTime
        let silence = time > last ? time - last : 0
        if silence > FlowTimeout.shortest, unsafe silence > FlowTimeout.nanoseconds(flow) { return true }
        guard packet.kind == .tcp, packet.tcpFlags.intersection([.syn, .ack, .rst]) == .syn else { return false }
        // Flows that are dropped stay so: a new SYN does not free them before their time.
        return unsafe flow.pointee.state == .closed && !flow.pointee.flags.contains(.drop)
    }

    @inline(never)
    private mutating func make(
        _ key: FlowKey, _ bucket: UnsafeMutablePointer<UInt32>, _ time: UInt64, _ packet: @_addressable Packet,
        _ step: inout FlowStep
    ) -> UnsafeMutablePointer<Flow> {
        changes.begin()
        defer { changes.end() }
        if count == capacity {
            counters.evicted &+= 1
            // An eighth is for those that begin.
            let oldest = young.count > capacity / 8 || old.oldest == 0 ? young.oldest : old.oldest
            if !end(oldest, .forced) { remove(oldest) }
        }
        precondition(free != 0 || Int(used) < records)
        let index: UInt32
        if free != 0 {
            index = free
            free = unsafe flows[Int(index)].next
        } else {
            used += 1
            index = used
        }
        let flow = unsafe flows + Int(index)
        unsafe flow.initialize(to: Flow())
        unsafe begin(flow, key, time, packet, &step)
        // The bucket may have changed when another had to go.
        unsafe flow.pointee.next = unsafe bucket.pointee
        unsafe bucket.pointee = index
        unsafe link(index, flow)
        count += 1
        return unsafe flow
    }

    /// A flow as its first packet leaves it; what its record held before is given back.
    private mutating func begin(
        _ flow: UnsafeMutablePointer<Flow>, _ key: FlowKey, _ time: UInt64, _ packet: @_addressable Packet,
        _ step: inout FlowStep
    ) {
        unsafe giveBack(flow)
        counters.made &+= 1
        step.changes.insert(.began)
        // Who answers a handshake is the server, though the question was not seen.
        let isAnswer = packet.kind == .tcp && packet.tcpFlags.isSuperset(of: [.syn, .ack])
        step.toServer = !isAnswer
        let (next, older, newer) = unsafe (flow.pointee.next, flow.pointee.older, flow.pointee.newer)
        var fresh = Flow()
        fresh.client = isAnswer ? key.destination : key.source
        fresh.server = isAnswer ? key.source : key.destination
        fresh.clientPort = isAnswer ? key.destinationPort : key.sourcePort
        fresh.serverPort = isAnswer ? key.sourcePort : key.destinationPort
        fresh.vlan = key.vlan
        fresh.ipProtocol = key.ipProtocol
        fresh.firstTime = time
        fresh.lastTime = time
        fresh.keeps = keeps
        fresh.identifier = nextIdentifier
        nextIdentifier &+= 1
        fresh.flags = unsafe flow.pointee.flags.intersection(.isYoung)
        fresh.next = next
        fresh.older = older
        fresh.newer = newer
        unsafe flow.pointee = fresh
    }

    /// No other flow's, and not one of another table, as far as chance goes.
    public func identity(of flow: UnsafeMutablePointer<Flow>) -> UInt64 {
        unsafe secret.hash(0, 0) &+ flow.pointee.identifier
    }

    /// The same for two hosts, in either order, whose packets are of no flow.
    public func number(ofEnds one: Address, _ other: Address) -> UInt64 {
        secret.hash(one, 0, other, 0, rest: 0)
    }

    mutating func giveBack(_ flow: UnsafeMutablePointer<Flow>) {
        unsafe variables.removeAll(&flow.pointee.variables)
        unsafe streams.release(&flow.pointee.session.client)
        unsafe streams.release(&flow.pointee.session.server)
    }

    mutating func remove(_ index: UInt32) {
        unsafe giveBack(flows + Int(index))
        takeOut(index)
        release(index)
    }

    mutating func release(_ index: UInt32) {
        unsafe flows[Int(index)].next = free
        unsafe flows[Int(index)].identifier = 0
        free = index
    }

    /// A record that is found no more.
    mutating func takeOut(_ index: UInt32) {
        let flow = unsafe flows + Int(index)
        let bucket = unsafe buckets + Int(hash(of: flow) & bucketMask)
        if unsafe bucket.pointee == index {
            unsafe bucket.pointee = unsafe flow.pointee.next
        } else {
            var before = unsafe bucket.pointee
            while before != 0, unsafe flows[Int(before)].next != index { before = unsafe flows[Int(before)].next }
            if before != 0 { unsafe flows[Int(before)].next = unsafe flow.pointee.next }
        }
        unsafe unlink(index, flow)
        count -= 1
    }

    private func hash(of flow: UnsafeMutablePointer<Flow>) -> UInt64 { unsafe flow.pointee.number(secret) }

    // MARK: - Age

    /// Something was heard of a flow: it goes to the end of the list of its kind, for which its neighbours' records
    /// are written. One that was heard in the same 17 ms stays where it is, unless it is young no more.
    @inline(__always)
    private mutating func touch(_ index: UInt32, _ flow: UnsafeMutablePointer<Flow>, _ time: UInt64) {
        let last = unsafe flow.pointee.lastTime
        unsafe flow.pointee.lastTime = max(last, time)
        if last >> 24 == time >> 24, unsafe flow.pointee.flags.contains(.isYoung) != isKnown(flow) { return }
        unsafe relink(index, flow)
    }

    private mutating func relink(_ index: UInt32, _ flow: UnsafeMutablePointer<Flow>) {
        unsafe unlink(index, flow)
        unsafe link(index, flow)
    }

    /// Both sides were heard, and of TCP the handshake is complete: the flow does not go for a young one.
    @inline(__always)
    private func isKnown(_ flow: UnsafeMutablePointer<Flow>) -> Bool {
        unsafe flow.pointee.flags.contains(.answered) && flow.pointee.state != .new
    }

    private mutating func link(_ index: UInt32, _ flow: UnsafeMutablePointer<Flow>) {
        if unsafe isKnown(flow) {
            unsafe flow.pointee.flags.remove(.isYoung)
            unsafe old.append(index, flows)
        } else {
            unsafe flow.pointee.flags.insert(.isYoung)
            unsafe young.append(index, flows)
        }
    }

    private mutating func unlink(_ index: UInt32, _ flow: UnsafeMutablePointer<Flow>) {
        if unsafe flow.pointee.flags.contains(.isYoung) {
            unsafe young.remove(index, flows)
        } else {
            unsafe old.remove(index, flows)
        }
    }
}

extension FlowKey {
    init(
        source: Address, destination: Address, sourcePort: UInt16, destinationPort: UInt16, vlan: UInt32,
        ipProtocol: UInt8
    ) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.vlan = vlan
        self.ipProtocol = ipProtocol
    }
}

/// For how long a flow may be silent before it is over: the defaults of Suricata's suricata.yaml.
enum FlowTimeout {
    static let longest: UInt64 = 600 * 1_000_000_000
    static let shortest: UInt64 = 30 * 1_000_000_000

    static func nanoseconds(_ flow: UnsafeMutablePointer<Flow>) -> UInt64 {
        let seconds: UInt64 =
            switch unsafe (flow.pointee.ipProtocol, flow.pointee.state) {
            case (6, .new): 60
            case (6, .established): 600
            case (6, .closed): 60
            case (17, .established), (1, .established), (58, .established): 300
            case (_, .established): 300
            default: 30
            }
        return seconds * 1_000_000_000
    }
}
