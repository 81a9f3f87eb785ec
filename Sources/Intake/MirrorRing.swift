import CLinux
public import Evidence
import Glibc
import Synchronization

/// Frames that come by one interface, in memory that the kernel writes and we read (packet_mmap, TPACKET_V3):
/// nothing is copied on our side, and no system call is made while there are frames.
///
///     while ring.next() {
///         inspect(ring.frame, ring.arrival)
///     }
///
/// The kernel fills blocks and hands each over when it is full, or 8 ms after its first frame. A frame that finds
/// no block free is dropped and counted by the kernel (`MirrorSocket`): what came is what was handed out and what was
/// dropped.
///
/// Several rings of one `group` share an interface's frames, both directions of a flow to the same: PACKET_FANOUT_HASH
/// hashes symmetrically (net/packet/af_packet.c, fanout_demux_hash). Fragments are hashed by their addresses alone, as
/// they are for the queues (net/core/flow_dissector.c); they are not put together by the kernel
/// (PACKET_FANOUT_FLAG_DEFRAG), because how they overlap is what is to be seen.
@safe
public struct MirrorRing: ~Copyable {
    public let interface: String
    /// What others than its reader may know of it.
    public let socket: MirrorSocket

    private let descriptor: Int32
    private let memory: UnsafeMutableRawPointer
    private let blocks: Int
    private let filter: FrameFilter?

    /// The block that is open, and what is left in it; 0 frames while none is.
    private var block = 0
    private var isOpen = false
    private var left: UInt32 = 0
    /// Where the frame's header is, and the next one's, in bytes from the beginning of the block.
    private var place = 0
    private var nextPlace = 0

    /// A GSO packet of 64 KiB must fit.
    static let blockBytes = 256 << 10
    /// Milliseconds that a frame waits at most for its block to be handed over.
    static let patience: UInt32 = 8
    /// ARPHRD_ETHER and ARPHRD_LOOPBACK (linux/if_arp.h).
    private static let ethernet: Int32 = 1
    private static let loopback: Int32 = 772
    /// Bytes that are the least for a ring.
    public static let leastMemory = 4 * blockBytes

    /// `memory` is bytes of the ring, rounded down to whole blocks. Nothing comes before `start()`.
    ///
    /// Throws what keeps the interface from being listened to, in words for the operator.
    public init(interface: String, memory bytes: Int, filter text: String? = nil) throws(IntakeError) {
        let index = unsafe if_nametoindex(interface)
        guard index != 0 else {
            throw IntakeError(
                "there is no interface \(interface) to listen to: "
                    + "make it (flinch mirror install), or correct mirror.interfaces")
        }
        let filter: FrameFilter? = if let text { try FrameFilter(text, interface: interface) } else { nil }
        let blocks = max(bytes, MirrorRing.leastMemory) / MirrorRing.blockBytes
        let opened = unsafe try MirrorRing.open(interface, index, blocks)
        self.interface = interface
        self.filter = filter
        self.blocks = blocks
        descriptor = unsafe opened.descriptor
        unsafe memory = unsafe opened.memory
        socket = MirrorSocket(descriptor)
    }

    deinit {
        socket.close()
        unsafe munmap(memory, blocks * MirrorRing.blockBytes)
        close(descriptor)
    }

    // MARK: - Set-up

    private static func open(
        _ interface: String, _ index: UInt32, _ blocks: Int
    ) throws(IntakeError) -> (descriptor: Int32, memory: UnsafeMutableRawPointer) {
        let descriptor = flinch_capture_socket()
        guard descriptor >= 0 else {
            throw IntakeError(
                "cannot listen to \(interface): \(IntakeError.text(errno)); run as root or with CAP_NET_RAW")
        }
        do throws(IntakeError) {
            return unsafe (descriptor, try prepare(descriptor, interface, index, blocks))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Closed by a filter until all is set up: from the bind on frames would come.
    private static func prepare(
        _ descriptor: Int32, _ interface: String, _ index: UInt32, _ blocks: Int
    ) throws(IntakeError) -> UnsafeMutableRawPointer {
        guard FrameFilter.close(descriptor) else { throw refusal("attach a filter for", interface) }
        try set(descriptor, PACKET_VERSION, Int32(TPACKET_V3.rawValue), "use TPACKET_V3 for", interface)
        var request = tpacket_req3()
        request.tp_block_size = UInt32(blockBytes)
        request.tp_block_nr = UInt32(blocks)
        // Without a meaning in version 3, but checked.
        request.tp_frame_size = 2048
        request.tp_frame_nr = UInt32(blocks * (blockBytes / 2048))
        request.tp_retire_blk_tov = patience
        try set(descriptor, PACKET_RX_RING, request, "have \(blocks * blockBytes >> 10) KiB of ring for", interface)
        let bytes = blocks * blockBytes
        guard
            let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            unsafe memory != MAP_FAILED
        else { throw refusal("map the ring of", interface) }
        do throws(IntakeError) {
            let hardware = flinch_bind_capture(descriptor, index)
            guard hardware >= 0 else { throw refusal("listen to", interface) }
            guard hardware == MirrorRing.ethernet || hardware == MirrorRing.loopback else {
                throw IntakeError("\(interface) has no Ethernet frames: listen to the interface that it is on")
            }
            var membership = packet_mreq()
            membership.mr_ifindex = Int32(index)
            membership.mr_type = UInt16(PACKET_MR_PROMISC)
            try set(descriptor, PACKET_ADD_MEMBERSHIP, membership, "see all frames of", interface)
        } catch {
            unsafe munmap(memory, bytes)
            throw error
        }
        return unsafe memory
    }

    /// Makes it one of those that share the interface's frames; the first to join gets hash 0, and so on. `group` is
    /// the same for all of them and nobody else's of this network namespace.
    public borrowing func join(group: UInt16) throws(IntakeError) {
        let flags = Int32(PACKET_FANOUT_HASH) << 16
        try MirrorRing.set(
            descriptor, PACKET_FANOUT, Int32(group) | flags, "share the frames of", interface)
    }

    /// Lets frames in.
    public borrowing func start() throws(IntakeError) {
        if let isTaken = filter?.attach(to: descriptor) {
            guard isTaken else { throw MirrorRing.refusal("attach mirror.filter to", interface) }
            return
        }
        guard FrameFilter.remove(descriptor) else { throw MirrorRing.refusal("open", interface) }
    }

    /// Lets no more frames in. Those that came are still handed out.
    public borrowing func stop() { _ = FrameFilter.close(descriptor) }

    private static func set<Option: BitwiseCopyable>(
        _ descriptor: Int32, _ name: Int32, _ value: Option, _ purpose: String, _ interface: String
    ) throws(IntakeError) {
        var value = value
        guard unsafe setsockopt(descriptor, SOL_PACKET, name, &value, socklen_t(MemoryLayout<Option>.size)) == 0
        else { throw refusal(purpose, interface) }
    }

    private static func refusal(_ purpose: String, _ interface: String) -> IntakeError {
        IntakeError("cannot \(purpose) \(interface): \(IntakeError.text(errno))")
    }

    // MARK: - The packet path

    /// Moves to the next frame; false when there is none yet. A block that is read to its end goes back to the kernel.
    public mutating func next() -> Bool {
        while left == 0 {
            if isOpen { release() }
            guard unsafe status(of: block).pointee.load(ordering: .acquiring) & UInt32(TP_STATUS_USER) != 0 else {
                return false
            }
            let head = unsafe blockStart.load(as: tpacket_block_desc.self).hdr.bh1
            isOpen = true
            left = head.num_pkts
            nextPlace = Int(head.offset_to_first_pkt)
        }
        left -= 1
        place = nextPlace
        nextPlace = place &+ Int(header.tp_next_offset)
        return true
    }

    /// Nothing is open: a block that is handed over next has frames that came later than all that were read.
    public var isBetweenBlocks: Bool { left == 0 }

    /// The frame that `next()` found, as far as it was captured. What its header says is the kernel's word, and
    /// still held to the block.
    public var frame: RawSpan {
        @_lifetime(borrow self) borrowing get {
            let header = header
            let begin = min(place &+ Int(header.tp_mac), MirrorRing.blockBytes)
            let count = min(Int(header.tp_snaplen), MirrorRing.blockBytes &- begin)
            return unsafe _overrideLifetime(
                RawSpan(_unsafeStart: blockStart + begin, byteCount: count), borrowing: self)
        }
    }

    /// Whether only the beginning of the frame was captured.
    public var isCut: Bool { header.tp_snaplen < header.tp_len }

    /// Bytes of the frame on the wire.
    public var wireLength: UInt32 { header.tp_len }

    /// When the frame came, by the kernel's clock, and what the kernel took off it.
    public var arrival: Arrival {
        let header = header
        var arrival = Arrival(time: UInt64(header.tp_sec) &* 1_000_000_000 &+ UInt64(header.tp_nsec))
        let status = Int32(truncatingIfNeeded: header.tp_status)
        if status & TP_STATUS_VLAN_VALID != 0 {
            arrival.hasTag = true
            arrival.tag = UInt16(truncatingIfNeeded: header.hv1.tp_vlan_tci)
        }
        if status & TP_STATUS_CSUMNOTREADY != 0 {
            arrival.checksum = .unfinished
        } else if status & TP_STATUS_CSUM_VALID != 0 {
            arrival.checksum = .verified
        }
        return arrival
    }

    /// Forgets that the interface went down. It is listened to again when it comes up, but not when another takes its
    /// name.
    public borrowing func clearError() {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
    }

    /// For poll(2).
    public var handle: Int32 { descriptor }

    private var blockStart: UnsafeMutableRawPointer { unsafe memory + block &* MirrorRing.blockBytes }

    private var header: tpacket3_hdr {
        let last = MirrorRing.blockBytes - MemoryLayout<tpacket3_hdr>.stride
        return unsafe blockStart.load(fromByteOffset: min(place, last) & ~7, as: tpacket3_hdr.self)
    }

    private mutating func release() {
        unsafe status(of: block).pointee.store(UInt32(TP_STATUS_KERNEL), ordering: .releasing)
        isOpen = false
        block = block &+ 1 == blocks ? 0 : block &+ 1
    }

    /// The word that says whose a block is.
    private func status(of block: Int) -> UnsafePointer<Atomic<UInt32>> {
        let offset = block &* MirrorRing.blockBytes &+ MemoryLayout<UInt32>.size &* 2
        return unsafe UnsafePointer((memory + offset).assumingMemoryBound(to: Atomic<UInt32>.self))
    }
}
