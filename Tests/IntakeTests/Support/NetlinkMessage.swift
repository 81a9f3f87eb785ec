import Evidence
import Glibc
import Testing
import Wire

@testable import Intake

/// Numbers as netlink carries them: its own headers in host order, what the attributes hold in network order.
func host16(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
}
func host32(_ number: Int) -> [UInt8] { host16(number) + host16(number >> 16) }
func big16(_ number: Int) -> [UInt8] { host16(number).reversed() }
func big32(_ number: Int) -> [UInt8] { host32(number).reversed() }

/// An attribute padded to four bytes. `length` is what its header states; the truth if not given.
func attribute(_ type: Int, _ value: [UInt8], length: Int? = nil) -> [UInt8] {
    host16(length ?? value.count + 4) + host16(type) + value + padding(value.count)
}

func padding(_ count: Int) -> [UInt8] { Array(repeating: 0, count: (4 - count % 4) % 4) }

/// A message of nfnetlink_queue (subsystem 3). `type` 0 is a packet, `length` what the header states.
func message(
    _ attributes: [UInt8]..., type: Int = 0x0300, family: UInt8 = 7, queue: Int = 0, length: Int? = nil
) -> [UInt8] {
    let body = [family, 0] + big16(queue) + attributes.flatMap { $0 }
    return host32(length ?? 16 + body.count) + host16(type) + host16(0) + host32(0) + host32(0) + body
}

/// NFQA_PACKET_HDR: identifier, hardware protocol, hook.
func packetHeader(_ identifier: Int = 0x0102_0304, _ hardwareProtocol: Int = 0x0800) -> [UInt8] {
    attribute(1, big32(identifier) + big16(hardwareProtocol) + [2])
}

/// What was read of a message, in a form that tests compare.
struct Reading: Equatable, Sendable {
    var identifier: UInt32 = 0x0102_0304
    var hardwareProtocol: UInt16 = 0x0800
    var link = LinkLayer.ip
    var mark: UInt32 = 0
    var bridge: UInt32 = 0
    var port: UInt32 = 0
    var outPort: UInt32 = 0
    var tag: UInt16?
    var checksum = ChecksumState.present
    var sourceMAC: UInt64 = 0
    var destinationMAC: UInt64 = 0
    var payload: [UInt8] = []
    var isCut = false
}

extension Reading {
    init(_ packet: borrowing QueuedPacket, _ arrival: Arrival) {
        identifier = packet.identifier
        hardwareProtocol = arrival.hardwareProtocol
        link = packet.link
        mark = arrival.mark
        bridge = arrival.bridge
        port = arrival.port
        outPort = arrival.outPort
        tag = arrival.hasTag ? arrival.tag : nil
        checksum = arrival.checksum
        sourceMAC = arrival.sourceMAC
        destinationMAC = arrival.destinationMAC
        payload = unsafe packet.payload.withUnsafeBytes { unsafe Array($0) }
        isCut = packet.isCut
    }
}

/// Reads a message as the first of its queue.
func read(_ bytes: some Collection<UInt8>, truncated: Bool = false) -> Reading? {
    var layouts = AttributeLayouts()
    return read(bytes, truncated: truncated, &layouts)
}

/// Reads a message that ends where readable memory ends: one byte read past it is a segmentation fault.
func read(
    _ bytes: some Collection<UInt8>, truncated: Bool = false, _ layouts: inout AttributeLayouts
) -> Reading? {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let size = (bytes.count + page - 1) / page * page
    let region = unsafe mmap(
        nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    defer { unsafe _ = munmap(region, size + page) }
    let status = unsafe mprotect(region + size, page, PROT_NONE)
    precondition(status == 0)
    let start = unsafe region + (size - bytes.count)
    unsafe UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyBytes(from: bytes)
    let span = unsafe RawSpan(_unsafeStart: start, byteCount: bytes.count)
    // What the packet before left must not be taken for this one's.
    var arrival = Arrival(time: 0)
    (arrival.port, arrival.outPort, arrival.bridge, arrival.mark) = (91, 92, 93, 94)
    (arrival.tag, arrival.hasTag, arrival.sourceMAC, arrival.destinationMAC) = (95, true, 96, 97)
    guard let packet = QueuedPacket(span, truncated: truncated, &layouts, into: &arrival) else { return nil }
    return Reading(packet, arrival)
}
