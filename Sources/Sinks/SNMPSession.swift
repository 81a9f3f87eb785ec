import CLinux
import CNetSNMP
import Glibc

/// A session of net-snmp's to one receiver, opened when it is first needed and again after a failure.
@safe
final class SNMPSession {
    private let settings: SNMPSettings
    private let boots: UInt32
    private let started = flinch_monotonic()
    private let community: Secret?
    private let authentication: Secret?
    private let privacy: Secret?
    private var session: UnsafeMutableRawPointer?

    /// Microseconds that an inform's confirmation is waited for, and how often it is sent again.
    private static let timeout = 1_000_000
    private static let retries: Int32 = 1

    /// `boots` counts the starts of this sensor: a receiver of version 3 takes a smaller number than before for
    /// a replay (RFC 3414 §2.2).
    init(_ settings: SNMPSettings, boots: UInt32) throws(Secret.Failure) {
        self.settings = settings
        self.boots = boots
        community = try settings.community.map { source throws(Secret.Failure) in try Secret(source) }
        authentication = try settings.authentication.map { source throws(Secret.Failure) in try Secret(source) }
        privacy = try settings.privacy.map { source throws(Secret.Failure) in try Secret(source) }
        for (secret, source) in [(authentication, settings.authentication), (privacy, settings.privacy)] {
            if let secret, secret.bytes.count < 8 {
                throw Secret.Failure(description: "\(source.map { "\($0)" } ?? ""): SNMP wants 8 characters at least")
            }
        }
    }

    deinit { close() }

    /// Sends one. Returns what went wrong: a trap that is lost on its way is not known of, an inform that is not
    /// confirmed is.
    func send(_ notification: SNMPNotification) -> String? {
        SNMPLibrary.use {
            if unsafe session == nil, let problem = open() { return problem }
            guard let session = unsafe session, let pdu = unsafe pdu(notification) else { return "no memory" }
            var problem: String?
            if settings.isInform {
                var response: UnsafeMutablePointer<netsnmp_pdu>?
                let status = unsafe snmp_sess_synch_response(session, pdu, &response)
                if status != STAT_SUCCESS {
                    problem = status == STAT_TIMEOUT ? "\(settings.to) does not confirm" : failure()
                } else if let response = unsafe response, unsafe response.pointee.errstat != SNMP_ERR_NOERROR {
                    problem = "\(settings.to) answers with error \(unsafe response.pointee.errstat)"
                }
                if let response = unsafe response { unsafe snmp_free_pdu(response) }
            } else if unsafe snmp_sess_send(session, pdu) == 0 {
                problem = failure()
                unsafe snmp_free_pdu(pdu)
            }
            if problem != nil { closeLocked() }
            return problem
        }
    }

    private func close() { SNMPLibrary.use { closeLocked() } }

    private func closeLocked() {
        if let session = unsafe session { unsafe snmp_sess_close(session) }
        unsafe session = nil
    }

    // MARK: - The session

    private func open() -> String? {
        var template = unsafe netsnmp_session()
        unsafe snmp_sess_init(&template)
        unsafe template.timeout = SNMPSession.timeout
        unsafe template.retries = SNMPSession.retries
        let host = settings.to.host.contains(":") ? "[\(settings.to.host)]" : settings.to.host
        let transport = settings.to.host.contains(":") ? "udp6" : "udp"
        return unsafe withTexts("\(transport):\(host):\(settings.to.port)", settings.user, settings.engine) {
            peer, user, engine in
            unsafe template.peername = peer.baseAddress
            switch settings.version {
            case .v2c:
                unsafe template.version = Int(SNMP_VERSION_2c)
                return unsafe openCommunity(&template)
            case .v3:
                unsafe template.version = Int(SNMP_VERSION_3)
                unsafe template.securityModel = SNMP_SEC_MODEL_USM
                unsafe template.securityLevel = SNMP_SEC_LEVEL_AUTHPRIV
                unsafe template.securityName = user.baseAddress
                unsafe template.securityNameLen = user.count - 1
                if let problem = unsafe keys(&template) { return problem }
                // The sender of a trap is the authority on its time; of an inform, it is the receiver, who is
                // asked for its engine's identifier when the session is opened.
                guard !settings.isInform else { return unsafe opened(&template) }
                let identifier = SNMPSession.engineIdentifier(settings.engine)
                return unsafe identifier.withUnsafeBufferPointer { bytes in
                    let start = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress)
                    unsafe template.securityEngineID = unsafe start
                    unsafe template.securityEngineIDLen = bytes.count
                    unsafe template.contextEngineID = unsafe start
                    unsafe template.contextEngineIDLen = bytes.count
                    let uptime = UInt32(clamping: (flinch_monotonic() &- started) / 1_000_000_000)
                    unsafe template.engineBoots = boots
                    unsafe template.engineTime = uptime
                    unsafe _ = set_enginetime(start, UInt32(bytes.count), boots, uptime, 1)
                    return unsafe opened(&template)
                }
            }
        }
    }

    private func openCommunity(_ template: inout netsnmp_session) -> String? {
        var bytes = community?.bytes ?? Array("public".utf8)
        return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe template.community = buffer.baseAddress
            unsafe template.community_len = buffer.count
            return unsafe opened(&template)
        }
    }

    /// The library keeps copies of all that the template points to.
    private func opened(_ template: inout netsnmp_session) -> String? {
        unsafe session = snmp_sess_open(&template)
        if unsafe session != nil { return nil }
        var text: UnsafeMutablePointer<CChar>?
        unsafe snmp_error(&template, nil, nil, &text)
        defer { unsafe free(text) }
        return "cannot open a session to \(settings.to): \(unsafe text.map { unsafe String(cString: $0) } ?? "")"
    }

    private func keys(_ template: inout netsnmp_session) -> String? {
        let hash =
            switch settings.hash {
            case .sha: unsafe flinch_snmp_sha()
            case .sha256: unsafe flinch_snmp_sha256()
            case .sha512: unsafe flinch_snmp_sha512()
            }
        unsafe template.securityAuthProto = hash
        unsafe template.securityAuthProtoLen = SNMPSession.protocolLength
        unsafe template.securityPrivProto = flinch_snmp_aes()
        unsafe template.securityPrivProtoLen = SNMPSession.protocolLength
        unsafe template.securityAuthKeyLen = 64
        unsafe template.securityPrivKeyLen = 64
        let isMade = unsafe withUnsafeMutableBytes(of: &template.securityAuthKey) { key in
            unsafe generate(hash, authentication, key, &template.securityAuthKeyLen)
        }
        let isAlso = unsafe withUnsafeMutableBytes(of: &template.securityPrivKey) { key in
            unsafe generate(hash, privacy, key, &template.securityPrivKeyLen)
        }
        return isMade && isAlso ? nil : "the library makes no key of the password"
    }

    /// Parts of the identifiers of the protocols that we use.
    private static let protocolLength = 10

    private func generate(
        _ hash: UnsafeMutablePointer<oid>?, _ secret: Secret?, _ key: UnsafeMutableRawBufferPointer,
        _ length: inout Int
    ) -> Bool {
        guard let secret, let start = key.baseAddress else { return false }
        return unsafe generate_Ku(
            hash, UInt32(SNMPSession.protocolLength), secret.bytes, secret.bytes.count,
            start.assumingMemoryBound(to: UInt8.self), &length) == 0
    }

    /// RFC 3411 §5, snmpEngineID: the enterprise with its first bit set, 4 for text, and the text.
    static func engineIdentifier(_ text: String) -> [UInt8] {
        [0x80, 0x00, 0x7E, 0xD9, 4] + (text.isEmpty ? Array("flinch".utf8) : Array(text.utf8.prefix(27)))
    }

    private func withTexts<Result>(
        _ a: String, _ b: String, _ c: String,
        _ body: (
            UnsafeMutableBufferPointer<CChar>, UnsafeMutableBufferPointer<CChar>, UnsafeMutableBufferPointer<CChar>
        ) -> Result
    ) -> Result {
        var (a, b, c) = (Array(a.utf8CString), Array(b.utf8CString), Array(c.utf8CString))
        return unsafe a.withUnsafeMutableBufferPointer { a in
            unsafe b.withUnsafeMutableBufferPointer { b in
                unsafe c.withUnsafeMutableBufferPointer { c in unsafe body(a, b, c) }
            }
        }
    }

    private func failure() -> String {
        var text: UnsafeMutablePointer<CChar>?
        unsafe snmp_sess_error(session, nil, nil, &text)
        defer { unsafe free(text) }
        return "cannot send to \(settings.to): \(unsafe text.map { unsafe String(cString: $0) } ?? "")"
    }

    // MARK: - The message

    private func pdu(_ notification: SNMPNotification) -> UnsafeMutablePointer<netsnmp_pdu>? {
        guard let pdu = unsafe snmp_pdu_create(settings.isInform ? flinch_snmp_inform : flinch_snmp_trap) else {
            return nil
        }
        // sysUpTime.0 in hundredths of a second, then snmpTrapOID.0 (RFC 3416 §4.2.6).
        var uptime = UInt((flinch_monotonic() &- started) / 10_000_000) & 0xFFFF_FFFF
        unsafe add([1, 3, 6, 1, 2, 1, 1, 3, 0], flinch_snmp_timeticks, &uptime, MemoryLayout<UInt>.size, to: pdu)
        let identifier: [UInt] = SNMPNotification.root + [0, notification.number]
        unsafe identifier.withUnsafeBytes { bytes in
            unsafe add(
                [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0], UInt8(ASN_OBJECT_ID), bytes.baseAddress, bytes.count, to: pdu)
        }
        for (object, value) in notification.objects {
            let name: [UInt] = SNMPNotification.root + [1, object, 0]
            switch value {
            case .text(let text):
                let octets = SNMPNotification.octets(text)
                unsafe add(name, UInt8(ASN_OCTET_STR), octets, octets.count, to: pdu)
            case .integer(let number):
                var number = number
                unsafe add(name, UInt8(ASN_INTEGER), &number, MemoryLayout<Int>.size, to: pdu)
            case .unsigned(let number):
                var number = UInt(number)
                unsafe add(name, flinch_snmp_unsigned, &number, MemoryLayout<UInt>.size, to: pdu)
            }
        }
        return unsafe pdu
    }

    private func add(
        _ name: [UInt], _ type: UInt8, _ value: UnsafeRawPointer?, _ size: Int,
        to pdu: UnsafeMutablePointer<netsnmp_pdu>
    ) {
        unsafe _ = snmp_pdu_add_variable(pdu, name, name.count, type, value, size)
    }
}
