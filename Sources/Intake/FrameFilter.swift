import CLinux
import CPcap
import Glibc

/// A filter of frames, in tcpdump's words (pcap-filter(7)), compiled to what the kernel runs on a socket.
@safe
public struct FrameFilter: ~Copyable {
    private var program: bpf_program

    /// Bytes of a frame that the filter lets through: all of it.
    private static let snapshot: Int32 = 262_144

    /// What is wrong with a filter, in libpcap's words; nil if nothing is.
    public static func problem(_ text: String) -> String? {
        guard let handle = unsafe pcap_open_dead(DLT_EN10MB, snapshot) else { return "libpcap has no memory" }
        defer { unsafe pcap_close(handle) }
        do throws(IntakeError) {
            _ = try unsafe FrameFilter(text, handle)
            return nil
        } catch {
            return error.description
        }
    }

    /// For frames of an interface that is there. The kernel takes a frame's VLAN tag off before a socket sees it; only
    /// with the interface does libpcap know to look for it beside the frame.
    public init(_ text: String, interface: String) throws(IntakeError) {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = unsafe pcap_create(interface, &message) else {
            throw IntakeError("cannot look at \(interface): \(FrameFilter.text(message))")
        }
        defer { unsafe pcap_close(handle) }
        _ = unsafe pcap_set_snaplen(handle, FrameFilter.snapshot)
        guard unsafe pcap_activate(handle) >= 0 else {
            throw IntakeError("cannot look at \(interface): \(unsafe String(cString: pcap_geterr(handle)))")
        }
        try unsafe self.init(text, handle)
    }

    private init(_ text: String, _ handle: OpaquePointer) throws(IntakeError) {
        var program = unsafe bpf_program()
        guard unsafe pcap_compile(handle, &program, text, 1, bpf_u_int32(PCAP_NETMASK_UNKNOWN)) == 0 else {
            throw IntakeError(unsafe String(cString: pcap_geterr(handle)))
        }
        unsafe self.program = unsafe program
    }

    deinit {
        var program = unsafe program
        unsafe pcap_freecode(&program)
    }

    /// Puts it in the place of the socket's filter. Returns whether the kernel took it.
    borrowing func attach(to descriptor: Int32) -> Bool {
        unsafe flinch_attach_filter(descriptor, program.bf_insns, UInt16(clamping: program.bf_len)) == 0
    }

    /// Lets everything through again. Returns whether the kernel took it.
    static func remove(_ descriptor: Int32) -> Bool {
        var ignored: Int32 = 0
        return unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_DETACH_FILTER, &ignored, socklen_t(MemoryLayout<Int32>.size)) == 0
            || errno == ENOENT
    }

    /// Lets nothing through.
    static func close(_ descriptor: Int32) -> Bool {
        // BPF_RET | BPF_K of 0 (linux/filter.h): struct sock_filter is a code, two jumps and a constant.
        var nothing: UInt64 = 0x06
        return unsafe flinch_attach_filter(descriptor, &nothing, 1) == 0
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
