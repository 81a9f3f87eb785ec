import CLinux
public import Evidence
import Glibc
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
    /// Frames a second, and at once after a pause.
    public static let rate: UInt64 = 1_000
    private static let burst: UInt64 = 100
    /// Ethernet with one tag.
    private static let headerRoom = 18
    private static let slotBytes = headerRoom + RejectPacket.largest

    private struct Frame: BitwiseCopyable {
        var port: UInt32
        var start: Int
        var length: Int
    }

    private let socket: Int32
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

    /// Without CAP_NET_RAW there is no socket, and nothing is sent but counted: `problem` says why.
    public init() {
        socket = flinch_frame_socket()
        problem = socket < 0 ? "no packet socket: \(IntakeError.text(errno))" : nil
        unsafe frames = .allocate(capacity: Injector.capacity)
        unsafe frames.initialize(repeating: Frame(port: 0, start: 0, length: 0), count: Injector.capacity)
        unsafe slab = .allocate(byteCount: Injector.capacity * Injector.slotBytes, alignment: 16)
        unsafe slab.initializeMemory(as: UInt8.self, repeating: 0, count: Injector.capacity * Injector.slotBytes)
    }

    /// Why nothing can be sent; nil if it can.
    public let problem: String?

    deinit {
        if socket >= 0 { close(socket) }
        unsafe frames.deallocate()
        unsafe slab.deallocate()
    }

    /// Whether frames wait, or something is to be told of those that could not be sent.
    public var isUsed: Bool { count > 0 || withheld > 0 }

    /// Tells the sides that `packet`, decoded from `bytes`, is not delivered.
    @inline(never)
    public mutating func reject(
        _ packet: borrowing Packet, _ bytes: RawSpan, _ arrival: Arrival, _ sides: RejectSides
    ) {
        if sides.contains(.source) { reject(packet, bytes, arrival, to: .source) }
        if sides.contains(.destination) { reject(packet, bytes, arrival, to: .destination) }
    }

    private mutating func reject(
        _ packet: borrowing Packet, _ bytes: RawSpan, _ arrival: Arrival, to side: RejectPacket.Side
    ) {
        let port = side == .source ? arrival.port : arrival.outPort
        let receiver = side == .source ? arrival.sourceMAC : arrival.destinationMAC
        guard socket >= 0, count < Injector.capacity, port != 0, receiver != 0, isWithinRate(arrival.time) else {
            withheld &+= 1
            return
        }
        let slot = unsafe slab + count * Injector.slotBytes
        let room = unsafe UnsafeMutableRawBufferPointer(
            start: slot + Injector.headerRoom, count: RejectPacket.largest)
        var span = unsafe room.mutableBytes
        let length = RejectPacket.write(about: packet, bytes, to: side, into: &span)
        guard length > 0 else { return }
        let hasTag = arrival.hasTag
        let start = hasTag ? 0 : 4
        let header = unsafe slot + start
        unsafe put(receiver, at: header)
        unsafe put(sender(side, arrival, port), at: header + 6)
        if hasTag {
            unsafe header.storeBytes(of: EtherType.customerTag.bigEndian, toByteOffset: 12, as: UInt16.self)
            unsafe header.storeBytes(of: arrival.tag.bigEndian, toByteOffset: 14, as: UInt16.self)
        }
        let type = packet.ipVersion == 4 ? EtherType.ipv4 : EtherType.ipv6
        unsafe header.storeBytes(of: type.bigEndian, toByteOffset: hasTag ? 16 : 12, as: UInt16.self)
        unsafe frames[count] = Frame(
            port: port, start: count * Injector.slotBytes + start, length: Injector.headerRoom - start + length)
        count += 1
    }

    /// The card that the receiver sent its packet to, or spoke with; where that is not known, the port's own.
    private func sender(_ side: RejectPacket.Side, _ arrival: Arrival, _ port: UInt32) -> UInt64 {
        let known = side == .source ? arrival.destinationMAC : arrival.sourceMAC
        guard known == 0 else { return known }
        var bytes = InlineArray<6, UInt8>(repeating: 0)
        let status = unsafe withUnsafeMutablePointer(to: &bytes) { place in
            unsafe place.withMemoryRebound(to: UInt8.self, capacity: 6) {
                unsafe flinch_hardware_address(socket, port, $0)
            }
        }
        guard status == 0 else { return 0 }
        var number: UInt64 = 0
        for i in 0..<6 { number = number << 8 | UInt64(bytes[i]) }
        return number
    }

    private mutating func isWithinRate(_ time: UInt64) -> Bool {
        let interval = 1_000_000_000 / Injector.rate
        let earliest = max(due, time)
        guard earliest - time <= interval * Injector.burst else { return false }
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
    public mutating func flush() {
        guard count > 0 else { return }
        for i in 0..<count {
            let frame = unsafe frames[i]
            if unsafe flinch_send_frame(socket, frame.port, slab + frame.start, UInt(frame.length)) > 0 {
                sent &+= 1
            } else {
                withheld &+= 1
            }
        }
        count = 0
    }
}
