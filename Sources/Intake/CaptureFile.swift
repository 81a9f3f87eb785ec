import CPcap
import Wire

/// A capture could not be opened, or what it holds is damaged.
public struct CaptureError: Error, CustomStringConvertible, Equatable {
    public let path: String
    /// What libpcap says, and behind which packet where some were read.
    public let message: String
    public var description: String { "\(path): \(message)" }
}

/// How the reading of a capture ended.
public enum CaptureEnding: Equatable, Sendable {
    case notYet
    case whole
    /// The file ends within a record. What came before it was read.
    case truncated(String)
}

/// A pcap or pcapng file, read packet by packet with libpcap.
///
///     var capture = try CaptureFile(path: "a.pcap")
///     while try capture.next() {
///         let packet = Decoder.decode(capture.bytes, as: capture.link, capturedShort: capture.isCutShort)
///     }
///
/// `bytes` stay where libpcap read them to, and cannot be held beyond the next call of `next()`.
@safe
public struct CaptureFile: ~Copyable {
    public let path: String
    /// libpcap's number of the link type (DLT_EN10MB is 1), and its name, `EN10MB`, or the number where it
    /// has none.
    public let linkType: Int32
    public let linkTypeName: String
    /// What `bytes` begin with.
    public let link: LinkLayer
    /// Packets of this link type can be read. If not, all of them are counted in `unsupported`.
    public let isLinkTypeSupported: Bool

    /// Packets handed out, and packets passed over because their link type cannot be read.
    public private(set) var packets: UInt64 = 0
    public private(set) var unsupported: UInt64 = 0
    public private(set) var ending = CaptureEnding.notYet

    /// Nanoseconds since the Unix epoch of the packet that `next()` found; all ones for what does not fit.
    public private(set) var time: UInt64 = 0
    /// Bytes on the wire of what `bytes` is the beginning of, as the capture states it.
    public private(set) var wireLength = 0

    private let handle: OpaquePointer
    private var data = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    /// Opens a file; `-` is standard input.
    public init(path: String) throws(CaptureError) {
        var text = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard
            let handle = unsafe pcap_open_offline_with_tstamp_precision(
                path, UInt32(PCAP_TSTAMP_PRECISION_NANO), &text)
        else {
            let length = text.firstIndex(of: 0) ?? text.count
            var message = String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            // libpcap puts the file name before what the system says, and not before its own words.
            if message.hasPrefix(path + ": ") { message.removeFirst(path.count + 2) }
            throw CaptureError(path: path, message: message)
        }
        self.path = path
        unsafe self.handle = handle
        let type = unsafe pcap_datalink(handle)
        linkType = type
        linkTypeName = unsafe pcap_datalink_val_to_name(type).map { unsafe String(cString: $0) } ?? "\(type)"
        let link = LinkLayer(linkType: type)
        isLinkTypeSupported = link != nil
        self.link = link ?? .other
    }

    deinit { unsafe pcap_close(handle) }

    /// Moves to the next packet that can be decoded; false at the end, of which `ending` says more.
    public mutating func next() throws(CaptureError) -> Bool {
        while true {
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var start: UnsafePointer<UInt8>?
            switch unsafe pcap_next_ex(handle, &header, &start) {
            case 1:
                let record = unsafe header!.pointee
                guard isLinkTypeSupported else {
                    unsupported += 1
                    continue
                }
                unsafe data = UnsafeRawBufferPointer(start: start, count: Int(record.caplen))
                wireLength = Int(record.len)
                time = CaptureFile.nanoseconds(record.ts)
                packets += 1
                return true
            case PCAP_ERROR_BREAK:
                unsafe data = UnsafeRawBufferPointer(start: nil, count: 0)
                if ending == .notYet { ending = .whole }
                return false
            default:
                unsafe data = UnsafeRawBufferPointer(start: nil, count: 0)
                let message = unsafe String(cString: pcap_geterr(handle))
                // Both readers of libpcap 1.10 begin like this, and only when the file ends too early
                // (sf-pcap.c, sf-pcapng.c).
                guard message.hasPrefix("truncated") else {
                    throw CaptureError(
                        path: path, message: "after \(packets + unsupported) packets: \(message)")
                }
                ending = .truncated(message)
                return false
            }
        }
    }

    /// The packet that `next()` found, as far as it was captured.
    public var bytes: RawSpan {
        @_lifetime(borrow self) borrowing get {
            unsafe _overrideLifetime(data.bytes, borrowing: self)
        }
    }

    /// The capture holds only the beginning of the packet.
    public var isCutShort: Bool { unsafe data.count < wireLength }

    /// With nanosecond precision `tv_usec` holds nanoseconds. Both come from the file: they may be anything.
    /// A pcap file's seconds are unsigned 32 bits, which libpcap 1.10 reads as signed (sf-pcap.c): they are
    /// put right, so that time goes on after 2038.
    private static func nanoseconds(_ time: timeval) -> UInt64 {
        let seconds =
            time.tv_sec >= 0 ? UInt64(time.tv_sec) : UInt64(UInt32(truncatingIfNeeded: time.tv_sec))
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(max(0, time.tv_usec)))
        return overflow || carry ? .max : sum
    }
}

extension LinkLayer {
    /// What packets of libpcap's link type begin with; nil for a type that the decoder does not read
    /// (https://www.tcpdump.org/linktypes.html).
    fileprivate init?(linkType: Int32) {
        switch linkType {
        case DLT_EN10MB: self = .ethernet
        // Raw IP has had several numbers, and one for GRE that was taken from IP (LINKTYPE_IP_OVER_GRE's).
        case DLT_RAW, 14, 101, 778, DLT_IPV4, DLT_IPV6: self = .ip
        case DLT_LINUX_SLL: self = .linuxSLL
        case DLT_LINUX_SLL2: self = .linuxSLL2
        case DLT_NULL, DLT_LOOP: self = .loopback
        case DLT_PPP: self = .ppp
        case DLT_C_HDLC, DLT_PPP_SERIAL: self = .ciscoHDLC
        default: return nil
        }
    }
}
