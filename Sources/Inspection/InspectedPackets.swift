import Evidence
public import Flows
import Wire

/// One of the packets that are inspected for a captured one.
@safe @frozen
public struct InspectedPacket: BitwiseCopyable {
    public var packet: Packet
    public var source: PacketSource
    /// Index of the packet that led to this one; 0 for the captured one, which is its own.
    public var parent: UInt8
    /// Tunnels around it.
    public var depth: UInt8
    /// What its bytes are the beginning of.
    public var link: LinkLayer

    /// The flow that it is of, which may be another's by the next captured packet; nil for none.
    public var flow: UnsafeMutablePointer<Flow>?
    public var toServer = true
    /// Its transport checksum was verified, and is wrong.
    @usableFromInline var isChecksumBad = false

    /// Where the bytes are that it was decoded from, counted from the start of the captured frame or, if it is
    /// not nil, of `buffer`: memory that its maker keeps until the next captured packet.
    @usableFromInline var start: Int
    @usableFromInline var count: Int
    @usableFromInline var buffer: UnsafeRawPointer?
}

/// What is inspected for one captured packet: the packet itself at 0, then, each behind its parent, what was
/// unwrapped from it or put together.
///
/// One list is made for an inspector and used for all its packets.
@safe @frozen
public struct InspectedPackets: ~Copyable, @unchecked Sendable {
    /// The captured packet, and seven more. What is deeper is not unwrapped (`DecodeEvent.tooManyLayers`).
    public static var capacity: Int { 8 }

    public internal(set) var count = 0
    /// The captured packet is a fragment of a datagram that was not whole in time.
    var isLateFragment = false
    @usableFromInline let storage: UnsafeMutablePointer<InspectedPacket>
    /// Where the packet is made that stands for the end of a stream.
    private let ending: UnsafeMutablePointer<UInt8>
    /// A copy of one packet's bytes that may be written to.
    private let copy: UnsafeMutableRawBufferPointer

    public init() {
        unsafe storage = .allocate(capacity: InspectedPackets.capacity)
        unsafe ending = .allocate(capacity: StreamEnding.capacity)
        unsafe copy = .allocate(byteCount: 1 << 17, alignment: 16)
    }

    deinit {
        unsafe storage.deallocate()
        unsafe ending.deallocate()
        unsafe copy.deallocate()
    }

    public var isFull: Bool { count == InspectedPackets.capacity }

    /// Read in place, without a copy of the record.
    public subscript(index: Int) -> InspectedPacket {
        @inlinable unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(storage + index)
        }
        @inlinable unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return unsafe storage + index
        }
    }

    /// Packet `index` by its address, to be read while other parts of the inspector are changed.
    @inline(__always)
    func pointer(to index: Int) -> UnsafePointer<InspectedPacket> {
        precondition(index >= 0 && index < count)
        return unsafe UnsafePointer(storage + index)
    }

    /// The bytes of packet `index`, from its link header on; `frame` is the captured packet's. Valid until the
    /// next packet is captured.
    @inline(__always) @_lifetime(copy frame)
    public func bytes(of index: Int, in frame: RawSpan) -> RawSpan {
        let start = self[index].start
        let count = self[index].count
        guard let buffer = unsafe self[index].buffer else {
            return frame.extracting(start..<start + count)
        }
        let span = unsafe UnsafeRawBufferPointer(start: buffer + start, count: count).bytes
        return unsafe _overrideLifetime(span, copying: frame)
    }

    /// What an event says of how packet `index` came about.
    public func origin(of index: Int) -> Origin {
        guard index > 0 else {
            var origin = Origin()
            origin.source = self[0].source
            return origin
        }
        return Origin(self[index].source, depth: self[index].depth, outer: self[0].packet)
    }

    /// Decodes a captured packet; what was there before is gone.
    @inline(__always)
    mutating func begin(_ frame: RawSpan, _ link: LinkLayer, etherType: UInt16, capturedShort: Bool) {
        isLateFragment = false
        unsafe storage.initialize(
            to: InspectedPacket(
                packet: Packet(), source: .wire, parent: 0, depth: 0, link: link, start: 0,
                count: frame.byteCount, buffer: nil))
        count = 1
        unsafe Decoder.decode(
            frame, as: link, etherType: etherType, capturedShort: capturedShort, into: &storage.pointee.packet)
    }

    /// The bytes of packet `index`, to be changed. nil if they are too many, or if another packet has been copied.
    mutating func copyBytes(of index: Int, in frame: RawSpan) -> UnsafeMutableRawBufferPointer? {
        let size = self[index].count
        let start = unsafe UnsafeRawPointer(copy.baseAddress!)
        for i in 0..<count where unsafe storage[i].buffer == start { return nil }
        guard size > 0, unsafe size <= copy.count else { return nil }
        unsafe bytes(of: index, in: frame).withUnsafeBytes { unsafe copy.copyMemory(from: $0) }
        unsafe storage[index].buffer = start
        unsafe storage[index].start = 0
        return unsafe UnsafeMutableRawBufferPointer(rebasing: copy[..<size])
    }

    /// The only packet is one that stands for the end of a stream; what was there before is gone.
    mutating func begin(endOf flow: UnsafeMutablePointer<Flow>, toServer: Bool) {
        let size = unsafe StreamEnding.write(flow, toServer: toServer, to: ending)
        unsafe storage.initialize(
            to: InspectedPacket(
                packet: Packet(), source: .streamEnd, parent: 0, depth: 0, link: .ip, flow: flow, toServer: toServer,
                start: 0, count: size, buffer: UnsafeRawPointer(ending)))
        count = 1
        let bytes = unsafe UnsafeRawBufferPointer(start: ending, count: size).bytes
        unsafe Decoder.decode(bytes, as: .ip, capturedShort: false, into: &storage.pointee.packet)
    }

    /// Unwraps what the last packet carries, and what that carries, as far as there is room. A fragment is given
    /// to the table, and with the one that makes it whole the datagram goes on.
    @inline(never)
    mutating func unfold(
        _ frame: RawSpan, _ arrival: @_addressable Arrival, capturedShort: Bool, _ fragments: inout FragmentTable
    ) -> FragmentStep.Refusal {
        while true {
            let last = count - 1
            if self[last].packet.isFragment {
                let (goesOn, refusal) = assemble(frame, arrival, &fragments)
                guard goesOn else { return refusal }
            } else {
                guard self[last].packet.tunnel != .none, unwrap(frame, capturedShort: capturedShort) else {
                    return .none
                }
            }
        }
    }

    /// Adds what the last packet carries, if there is room for it and it is a packet.
    private mutating func unwrap(_ frame: RawSpan, capturedShort: Bool) -> Bool {
        let outer = count - 1
        let packet = unsafe UnsafePointer(storage + outer)
        guard !isFull else {
            unsafe storage[outer].packet.events.insert(.tooManyLayers)
            return false
        }
        let link = unsafe packet.pointee.packet.innerLink
        let start = unsafe Int(packet.pointee.packet.innerOffset)
        let end = unsafe Int(packet.pointee.packet.payloadOffset + packet.pointee.packet.payloadLength)
        let bytes = bytes(of: outer, in: frame).extracting(start..<max(start, end))
        let inner = unsafe storage + count
        let tunnel = unsafe packet.pointee.packet.tunnel
        unsafe inner.initialize(
            to: InspectedPacket(
                packet: Packet(),
                source: PacketSource(tunnel, outerVersion: packet.pointee.packet.ipVersion),
                parent: UInt8(outer), depth: packet.pointee.depth + 1, link: link,
                start: packet.pointee.start + start, count: bytes.byteCount, buffer: packet.pointee.buffer))
        unsafe inner.pointee.packet.layerCount = unsafe packet.pointee.packet.layerCount + 1
        // Only what reaches beyond the bytes can have been cut off by the capture.
        let isCut = unsafe capturedShort && packet.pointee.packet.anomalies.contains(.cutByCapture)
        unsafe Decoder.decode(bytes, as: link, capturedShort: isCut, into: &inner.pointee.packet)
        // What cannot be decoded is no packet, and the outer one's payload remains one.
        guard unsafe inner.pointee.packet.isGenuine(tunnel, link) else { return false }
        count += 1
        unsafe storage[outer].packet.hidesPayload = true
        return true
    }
}

extension Packet {
    /// Whether it was carried by `tunnel` and not found by mistake. Teredo has no mark of its own.
    fileprivate func isGenuine(_ tunnel: Tunnel, _ link: LinkLayer) -> Bool {
        if tunnel == .teredo, isInvalid { return false }
        return link == .ethernet ? linkOffset >= 0 : !isUndecodable
    }
}
