import Glibc
import Testing
import Wire

/// Bytes that end where readable memory ends: one read past them is a segmentation fault, in any build.
@safe
struct GuardedBytes: ~Copyable {
    private let region: UnsafeMutableRawPointer
    private let size: Int
    private var bytes: UnsafeRawBufferPointer

    init(_ content: some Collection<UInt8>) {
        self.init(capacity: content.count)
        hold(content)
    }

    init(capacity: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        size = (capacity + page - 1) / page * page
        unsafe region = mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        let status = unsafe mprotect(region + size, page, PROT_NONE)
        precondition(status == 0)
        unsafe bytes = UnsafeRawBufferPointer(start: region + size, count: 0)
    }

    /// Replaces what is held; `capacity` is the most.
    mutating func hold(_ content: some Collection<UInt8>) {
        precondition(content.count <= size)
        let start = unsafe region + (size - content.count)
        unsafe UnsafeMutableRawBufferPointer(start: start, count: content.count).copyBytes(from: content)
        unsafe bytes = UnsafeRawBufferPointer(start: start, count: content.count)
    }

    deinit { unsafe munmap(region, size + Int(sysconf(Int32(_SC_PAGESIZE)))) }

    var span: RawSpan {
        @_lifetime(borrow self) borrowing get {
            unsafe _overrideLifetime(bytes.bytes, borrowing: self)
        }
    }
}

/// Decodes `bytes`, and checks what must hold of every record whatever the bytes are.
func decode(_ bytes: some Collection<UInt8>, as link: LinkLayer, cut: Bool = false) -> Packet {
    var memory = GuardedBytes(capacity: bytes.count)
    return decode(bytes, as: link, cut: cut, in: &memory)
}

/// The same, with the memory of the packet before.
func decode(
    _ bytes: some Collection<UInt8>, as link: LinkLayer, cut: Bool = false, in memory: inout GuardedBytes
) -> Packet {
    memory.hold(bytes)
    let packet = Decoder.decode(memory.span, as: link, capturedShort: cut)
    let inside = 0...Int32(bytes.count)
    let isSound =
        inside.contains(packet.networkOffset) && inside.contains(packet.transportOffset)
        && inside.contains(packet.payloadOffset) && packet.payloadLength >= 0
        && inside.contains(packet.payloadOffset + packet.payloadLength)
        && [packet.linkHeader, packet.networkHeader, packet.transportHeader].allSatisfy {
            $0.isEmpty || $0.upperBound <= bytes.count
        }
        && (packet.tunnel == .none || packet.innerOffset <= packet.payloadOffset + packet.payloadLength)
        && (packet.kind != .malformed || !packet.anomalies.isEmpty)
        && packet.anomalies.rawValue >> UInt64(Anomalies.count) == 0
    if !isSound { Issue.record("\(packet) of \(Array(bytes))") }
    return packet
}
