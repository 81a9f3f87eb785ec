import Wire

/// The application protocols whose form is looked at.
@frozen
public enum ApplicationForm: UInt8, BitwiseCopyable, Sendable {
    case none, dns, netbios, smb, http, tls

    /// Bytes of a stream's beginning without which there is nothing to tell: a length is often sent by itself.
    public var leastBytes: Int {
        switch self {
        case .dns: 2 + DNSMessage.headerSize
        case .netbios, .smb: NetBIOSSession.headerSize + 6
        case .none, .http, .tls: 4
        }
    }
}

extension ApplicationForm {
    /// What the first bytes of a TCP stream are by themselves.
    public init(firstBytes bytes: RawSpan, toServer: Bool) {
        self = .none
        guard bytes.byteCount >= 4 else { return }
        if bytes.be16(0) == 0x1603 {
            self = .tls
        } else if toServer ? ApplicationForm.isMethod(bytes) : bytes.be32(0) == 0x4854_5450 {
            self = .http
        }
    }

    /// What a server's port is for, whatever the first bytes are; they may still say that it cannot be.
    public init(expectedAt serverPort: UInt16, _ bytes: RawSpan) {
        switch serverPort {
        case 53: self = DNSMessage.isFramed(bytes) ? .dns : .none
        case 139: self = .netbios
        case 445: self = .smb
        default: self = .none
        }
    }

    /// SMB, with a session of NetBIOS before it or without.
    public init(sessionAt serverPort: UInt16, _ bytes: RawSpan) {
        let isSession = bytes.byteCount > 0 && bytes.be8(0) & 0x80 != 0
        self = serverPort == 139 || serverPort != 445 && isSession ? .netbios : .smb
    }

    /// The first four bytes of the methods that browsers and tools use (IANA http-methods), a blank after the
    /// short ones. OPTIONS is not among them: RTSP and SIP have it too.
    private static func isMethod(_ bytes: RawSpan) -> Bool {
        switch bytes.be32(0) {
        // "GET ", "PUT ", "POST", "HEAD", "DELE", "PATC", "CONN", "TRAC", "PROP"
        case 0x4745_5420, 0x5055_5420, 0x504F_5354, 0x4845_4144, 0x4445_4C45, 0x5041_5443, 0x434F_4E4E, 0x5452_4143,
            0x5052_4F50:
            true
        default: false
        }
    }
}

extension Conformance {
    /// The checks that the beginning of a TCP stream fails; `bytes` are its first.
    @inline(never)
    public static func examine(
        streamStart bytes: RawSpan, _ application: ApplicationForm, toServer: Bool
    ) -> CheckSet {
        var failed = CheckSet()
        switch application {
        case .none: break
        case .dns: DNSMessage.examine(stream: bytes, &failed)
        case .netbios: NetBIOSSession.examine(bytes, isDirect: false, &failed)
        case .smb: NetBIOSSession.examine(bytes, isDirect: true, &failed)
        case .http: HTTPHead.examine(bytes, isRequest: toServer, &failed)
        case .tls: TLSRecords.examine(bytes, &failed)
        }
        return failed
    }
}
