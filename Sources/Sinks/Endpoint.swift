import CLinux
import Glibc

/// Where a socket leads: `unix:/path`, `unix-dgram:/path`, `tcp:host:port`, `udp:host:port` or
/// `tls:host:port`.
public struct Endpoint: Sendable, Equatable, CustomStringConvertible {
    public enum Transport: String, Sendable, CaseIterable {
        case unix
        case unixDatagram = "unix-dgram"
        case tcp, udp
        /// TCP, and TLS over it.
        case tls
    }

    public var transport: Transport
    /// A path, or a host's name or address.
    public var host: String
    /// 0 for a path.
    public var port: UInt16

    public init(_ transport: Transport, host: String, port: UInt16 = 0) {
        self.transport = transport
        self.host = host
        self.port = port
    }

    /// nil for what is none. An IPv6 address stands in brackets.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), let transport = Transport(rawValue: String(text[..<colon])) else {
            return nil
        }
        let rest = text[text.index(after: colon)...]
        switch transport {
        case .unix, .unixDatagram:
            guard rest.hasPrefix("/"), (2...107).contains(rest.utf8.count) else { return nil }
            self.init(transport, host: String(rest))
        case .tcp, .udp, .tls:
            guard let (host, port) = Endpoint.hostAndPort(rest) else { return nil }
            self.init(transport, host: host, port: port)
        }
    }

    /// `host:port`, an IPv6 address in brackets; nil for anything else.
    public static func hostAndPort(_ text: some StringProtocol) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.count <= 253, !host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            return nil
        }
        return (String(host), port)
    }

    public var description: String {
        switch transport {
        case .unix, .unixDatagram: "\(transport.rawValue):\(host)"
        case .tcp, .udp, .tls:
            host.contains(":") ? "\(transport.rawValue):[\(host)]:\(port)" : "\(transport.rawValue):\(host):\(port)"
        }
    }

    var isDatagram: Bool { transport == .unixDatagram || transport == .udp }
}
