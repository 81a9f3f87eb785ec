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
    /// libpcap's name of the link type, `EN10MB`, or its number where it has none.
    public let linkTypeName: String
    /// Packets of this link type can be read. If not, all of them are counted in `unsupported`.
    public var isLinkTypeSupported: Bool { framing != nil }

    /// Packets handed out, and packets passed over: of a link type that Flinch has no view for, or not
    /// IP where only IP is taken from behind the link header.
    public private(set) var packets: UInt64 = 0
    public private(set) var unsupported: UInt64 = 0
    public private(set) var ending = CaptureEnding.notYet

    /// Nanoseconds since the Unix epoch of the packet that `next()` found, 0 for times before it.
    public private(set) var time: UInt64 = 0
    /// Bytes on the wire of what `bytes` is the beginning of, as the capture states it.
    public private(set) var wireLength = 0
    /// What `bytes` begin with.
    public private(set) var link = LinkLayer.ethernet

    private let handle: OpaquePointer
    private let framing: Framing?
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
        linkTypeName = unsafe pcap_datalink_val_to_name(type).map { unsafe String(cString: $0) } ?? "\(type)"
        framing = Framing(linkType: type)
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
                let captured = unsafe UnsafeRawBufferPointer(start: start, count: Int(record.caplen))
                guard let (skip, link) = unsafe framing?.network(in: captured.bytes) else {
                    unsupported += 1
                    continue
                }
                unsafe data = UnsafeRawBufferPointer(rebasing: captured[skip...])
                self.link = link
                wireLength = max(0, Int(record.len) - skip)
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
    private static func nanoseconds(_ time: timeval) -> UInt64 {
        let (whole, overflow) = UInt64(max(0, time.tv_sec)).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(max(0, time.tv_usec)))
        return overflow || carry ? .max : sum
    }
}

/// What stands before the network header in captures of one link type
/// (https://www.tcpdump.org/linktypes.html).
private enum Framing {
    case ethernet, ip, cooked, cooked2, loopback, ppp, hdlc

    init?(linkType: Int32) {
        switch linkType {
        case DLT_EN10MB: self = .ethernet
        case DLT_RAW, DLT_IPV4, DLT_IPV6: self = .ip
        case DLT_LINUX_SLL: self = .cooked
        case DLT_LINUX_SLL2: self = .cooked2
        case DLT_NULL, DLT_LOOP: self = .loopback
        case DLT_PPP: self = .ppp
        case DLT_C_HDLC, DLT_PPP_SERIAL: self = .hdlc
        default: return nil
        }
    }

    /// Bytes to skip, and what comes then; nil for what is not IP behind a header that the decoder does not
    /// read, or is cut within it.
    func network(in bytes: RawSpan) -> (skip: Int, link: LinkLayer)? {
        switch self {
        case .ethernet: (0, .ethernet)
        case .ip: (0, .ip)
        case .cooked: typed(bytes, at: 14, header: 16)
        case .cooked2: typed(bytes, at: 0, header: 20)
        case .loopback: loopback(bytes)
        case .ppp: ppp(bytes)
        case .hdlc: hdlc(bytes)
        }
    }

    /// A header with an EtherType in it, then perhaps VLAN tags.
    private func typed(_ bytes: RawSpan, at offset: Int, header: Int) -> (skip: Int, link: LinkLayer)? {
        guard var type = bytes.number(at: offset), bytes.byteCount >= header else { return nil }
        var skip = header
        while VLANTag.isIdentifier(type) {
            guard let inner = bytes.number(at: skip + 2) else { return nil }
            type = inner
            skip += VLANTag.size
        }
        return type == EtherType.ipv4 || type == EtherType.ipv6 ? (skip, .ip) : nil
    }

    /// An address family in 4 bytes, in the order of the machine that captured (NULL) or of the network
    /// (LOOP). IPv6 has another number on each system.
    private func loopback(_ bytes: RawSpan) -> (skip: Int, link: LinkLayer)? {
        guard let high = bytes.number(at: 0), let low = bytes.number(at: 2) else { return nil }
        let family = high == 0 ? low : low == 0 ? high.byteSwapped : 0
        return [2, 10, 24, 28, 30].contains(family) ? (4, .ip) : nil
    }

    /// RFC 1662 §3.1: address and control, which may be left out, then a protocol whose first byte, if it is
    /// 0, may be left out too (RFC 1661 §6.5).
    private func ppp(_ bytes: RawSpan) -> (skip: Int, link: LinkLayer)? {
        let start = bytes.number(at: 0) == 0xFF03 ? 2 : 0
        guard let number = bytes.number(at: start) else { return nil }
        let isCompressed = number & 0x0100 != 0
        let name = isCompressed ? number >> 8 : number
        guard name == 0x0021 || name == 0x0057 else { return nil }
        return (start + (isCompressed ? 1 : 2), .ip)
    }

    /// Cisco HDLC: address, control and an EtherType; or PPP on the same line.
    private func hdlc(_ bytes: RawSpan) -> (skip: Int, link: LinkLayer)? {
        bytes.number(at: 0) == 0xFF03 ? ppp(bytes) : typed(bytes, at: 2, header: 4)
    }
}

extension RawSpan {
    /// Two bytes in network order; nil beyond the end.
    fileprivate func number(at offset: Int) -> UInt16? {
        guard offset >= 0, offset + 2 <= byteCount else { return nil }
        return unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }
}
