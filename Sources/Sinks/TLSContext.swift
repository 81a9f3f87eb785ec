import COpenSSL
import Glibc

/// What a connection by TLS is verified by, and what it shows of itself.
public struct TLSSettings: Sendable, Equatable {
    /// A file of certificate authorities instead of the system's.
    public var authorities: String?
    /// A file of our own certificate and those up to its authority, and its key, for servers that ask; both or none.
    public var certificate: String?
    public var key: SecretSource?

    public init() {}
}

/// TLS 1.2 or later, for all connections of one channel. The server's certificate and name are always checked
/// (RFC 5280, RFC 6125).
@safe
final class TLSContext {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    fileprivate let context: OpaquePointer

    /// Throws where a file cannot be used, in words for the operator.
    init(_ settings: TLSSettings) throws(Failure) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw Failure(description: "OpenSSL cannot be used: \(TLSContext.reason)")
        }
        unsafe self.context = unsafe context
        unsafe _ = flinch_tls_least_version(context)
        unsafe flinch_tls_modes(context)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let file = settings.authorities {
            guard unsafe SSL_CTX_load_verify_locations(context, file, nil) == 1 else {
                throw Failure(description: "cannot use the certificate authorities in \(file): \(TLSContext.reason)")
            }
        } else {
            unsafe _ = SSL_CTX_set_default_verify_paths(context)
        }
        if let file = settings.certificate {
            guard unsafe SSL_CTX_use_certificate_chain_file(context, file) == 1 else {
                throw Failure(description: "cannot use the certificate in \(file): \(TLSContext.reason)")
            }
        }
        if let source = settings.key {
            do {
                try use(try Secret(source))
            } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    private func use(_ key: Secret) throws(Failure) {
        let bio = unsafe BIO_new_mem_buf(key.bytes, Int32(key.bytes.count))
        defer { unsafe _ = BIO_free(bio) }
        // No passphrase is asked for on a terminal that a sensor does not have.
        let made = unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        defer { unsafe EVP_PKEY_free(made) }
        guard unsafe made != nil, unsafe SSL_CTX_use_PrivateKey(context, made) == 1,
            unsafe SSL_CTX_check_private_key(context) == 1
        else {
            throw Failure(description: "the key is none of the certificate, or is encrypted: \(TLSContext.reason)")
        }
    }

    /// The first error that OpenSSL noted, and forgets all.
    fileprivate static var reason: String {
        let code = ERR_get_error()
        defer { ERR_clear_error() }
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "no reason given" }
        return unsafe String(cString: text)
    }
}

/// One connection by TLS over a socket that does not block. Used by one thread.
@safe
final class TLSSession {
    /// What a call needs to go on.
    enum Wait { case forReading, forWriting }

    enum Outcome {
        /// So many bytes; of a read 0 for the end.
        case done(Int)
        case wait(Wait)
        case failed(String)
    }

    private let ssl: OpaquePointer

    /// For a server that goes by `host`, a name or an address.
    init(_ context: TLSContext, descriptor: Int32, host: String) throws(TLSContext.Failure) {
        guard let ssl = unsafe SSL_new(context.context) else {
            throw TLSContext.Failure(description: "no TLS session: \(TLSContext.reason)")
        }
        unsafe self.ssl = unsafe ssl
        unsafe _ = SSL_set_fd(ssl, descriptor)
        unsafe SSL_set_connect_state(ssl)
        var address = in6_addr()
        let isAddress =
            unsafe inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
        let isNamed =
            isAddress
            ? unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
            : unsafe SSL_set1_host(ssl, host)
        guard isNamed == 1, unsafe isAddress || flinch_tls_server_name(ssl, host) == 1 else {
            throw TLSContext.Failure(description: "\(host) is no name that a certificate can have")
        }
    }

    deinit { unsafe SSL_free(ssl) }

    /// Tells the other side that it is the end, if that can be told at once. The socket is still open.
    func end() {
        unsafe _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    func handshake() -> Outcome { outcome(unsafe SSL_do_handshake(ssl)) }

    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        let written = unsafe outcome(SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count)))
        guard case .failed = written else { return written }
        // A server that refuses us says why before it goes (RFC 8446 §6.2), and that was not read yet.
        var byte: UInt8 = 0
        if case .failed(let why) = outcome(unsafe SSL_peek(ssl, &byte, 1)) { return .failed(why) }
        return written
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) -> Outcome {
        unsafe outcome(SSL_read(ssl, bytes.baseAddress, Int32(clamping: bytes.count)))
    }

    /// Whether the other side has said that it is the end, or is gone. What else comes is taken note of.
    var isClosed: Bool {
        var byte: UInt8 = 0
        switch outcome(unsafe SSL_peek(ssl, &byte, 1)) {
        case .done(let count): return count == 0
        case .wait: return false
        case .failed: return true
        }
    }

    private func outcome(_ result: Int32) -> Outcome {
        if result > 0 { return .done(Int(result)) }
        let code = errno
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wait(.forReading)
        case SSL_ERROR_WANT_WRITE: return .wait(.forWriting)
        case SSL_ERROR_ZERO_RETURN: return .done(0)
        default: break
        }
        let verified = unsafe SSL_get_verify_result(ssl)
        if verified != X509_V_OK {
            ERR_clear_error()
            return .failed(
                "the certificate is not accepted: \(unsafe String(cString: X509_verify_cert_error_string(verified)))")
        }
        if ERR_peek_error() != 0 { return .failed("TLS: \(TLSContext.reason)") }
        return .failed(code == 0 ? "the connection was closed" : unsafe String(cString: strerror(code)))
    }
}
