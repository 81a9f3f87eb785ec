public import Evidence
public import Wire

/// Sends packets of the sensor's own out of a bridge's ports, past the bridge: what tells two sides that a
/// packet was refused.
///
/// Frames are gathered while a batch is judged and sent once its verdicts are. All in fixed space, and at a
/// bounded rate, so that nobody can use it to flood others: for one packet at most one small one, and in all at
/// most `rate` a second.
@safe
public struct Injector: ~Copyable {
    /// Frames that wait at most.
    static let capacity = 32
    /// Frames a second, and at once after a pause: a tenth of it.
    public static let rate: UInt64 = 1_000
    private var interval: UInt64 = 0
    private var burst: UInt64 = 0
    private let isDelivered: Bool
    /// Ethernet with one tag.
    private static let headerRoom = 18
    private static let slotBytes = headerRoom + RejectPacket.largest

    private struct Frame: BitwiseCopyable {
        var port: UInt32
        var start: Int
        var length: Int
    }

    private let frames: UnsafeMutablePointer<Frame>
    private let slab: UnsafeMutableRawPointer
    private var count = 0
    /// When the rate is used up (generic cell rate algorithm), nanoseconds on the packets' clock.
    private var due: UInt64 = 0

    /// Frames sent; and those that were not: beyond the rate, without a way to address them, refused by the
    /// kernel.
    public private(set) var sent: UInt64 = 0
    public private(set) var withheld: UInt64 = 0

    public static var memoryBytes: Int { capacity * (MemoryLayout<Frame>.stride + slotBytes) }

    /// `rate` is frames a second. `isDelivered`: packets that are refused have arrived, because all is only listened to.
    public init(rate: UInt64 = Injector.rate, isDelivered: Bool = false) {
        self.isDelivered = isDelivered
        unsafe frames = .allocate(capacity: Injector.capacity)
        unsafe frames.initialize(repeating: Frame(port: 0, start: 0, length: 0), count: Injector.capacity)
        unsafe slab = .allocate(byteCount: Injector.capacity * Injector.slotBytes, alignment: 16)
        unsafe slab.initializeMemory(as: UInt8.self, repeating: 0, count: Injector.capacity * Injector.slotBytes)
        limit(to: rate)
    }

    /// Frames a second from now on.
    public mutating func limit(to rate: UInt64) {
        interval = 1_000_000_000 / max(1, rate)
        burst = max(2, rate / 10)
    }

    deinit {
        unsafe frames.deallocate()
        unsafe slab.deallocate()
    }

    /// Whether frames wait, or something is to be told of those that could not be sent.
    public var isUsed: Bool { count > 0 || withheld > 0 }

    /// Tells the sides that `packet`, decoded from `bytes`, is not delivered.
    @inline(never)
    public mutating func reject(
        _ packet: borrowing Packet, _ bytes: RawSpan, _ arrival: Arrival, _ sides: RejectSides,
        by frames: borrowing FrameSender
    ) {
        if sides.contains(.source) { reject(packet, bytes, arrival, to: .source, frames) }
        if sides.contains(.destination) { reject(packet, bytes, arrival, to: .destination, frames) }
    }

    private mutating func reject(
        _ packet: borrowing Packet, _ bytes: RawSpan, _ arrival: Arrival, to side: RejectPacket.Side,
        _ frames: borrowing FrameSender
    ) {
        let port = side == .source ? arrival.port : arrival.outPort
        let receiver = side == .source ? arrival.sourceMAC : arrival.destinationMAC
        guard count < Injector.capacity, port != 0, receiver != 0, isWithinRate(arrival.time) else {
            withheld &+= 1
            return
        }
        let slot = unsafe slab + count * Injector.slotBytes
        let room = unsafe UnsafeMutableRawBufferPointer(
            start: slot + Injector.headerRoom, count: RejectPacket.largest)
        var span = unsafe room.mutableBytes
        let length = RejectPacket.write(about: packet, bytes, to: side, isDelivered: isDelivered, into: &span)
        guard length > 0 else { return }
        let hasTag = arrival.hasTag
        let start = hasTag ? 0 : 4
        let header = unsafe slot + start
        unsafe put(receiver, at: header)
        unsafe put(sender(side, arrival, port, frames), at: header + 6)
        if hasTag {
            unsafe header.storeBytes(of: EtherType.customerTag.bigEndian, toByteOffset: 12, as: UInt16.self)
            unsafe header.storeBytes(of: arrival.tag.bigEndian, toByteOffset: 14, as: UInt16.self)
        }
        let type = packet.ipVersion == 4 ? EtherType.ipv4 : EtherType.ipv6
        unsafe header.storeBytes(of: type.bigEndian, toByteOffset: hasTag ? 16 : 12, as: UInt16.self)
        unsafe self.frames[count] = Frame(
            port: port, start: count * Injector.slotBytes + start, length: Injector.headerRoom - start + length)
        count += 1
    }

    /// The card that the receiver sent its packet to, or spoke with; where that is not known, the port's own.
    private func sender(
        _ side: RejectPacket.Side, _ arrival: Arrival, _ port: UInt32, _ frames: borrowing FrameSender
    ) -> UInt64 {
        let known = side == .source ? arrival.destinationMAC : arrival.sourceMAC
        return known != 0 ? known : frames.hardwareAddress(of: port)
    }

    private mutating func isWithinRate(_ time: UInt64) -> Bool {
        let earliest = max(due, time)
        guard earliest - time <= interval * burst else { return false }
        due = earliest + interval
        return true
    }

    private func put(_ address: UInt64, at place: UnsafeMutableRawPointer) {
        for i in 0..<6 {
            unsafe place.storeBytes(
                of: UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * i)), toByteOffset: i, as: UInt8.self)
        }
    }

    /// Sends what was gathered.
    public mutating func flush(by sender: borrowing FrameSender) {
        guard count > 0 else { return }
        for i in 0..<count {
            let frame = unsafe frames[i]
            if unsafe sender.send(
                UnsafeRawBufferPointer(start: slab + frame.start, count: frame.length), by: frame.port)
            {
                sent &+= 1
            } else {
                withheld &+= 1
            }
        }
        count = 0
    }
}
