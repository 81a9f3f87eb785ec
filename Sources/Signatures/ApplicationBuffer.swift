/// The buffers that only the parser of an application protocol can fill. Rules that look into them are
/// refused, all for a reason of one form, until there are such parsers.
enum ApplicationBuffer {
    /// The refusal of a rule that uses `keyword`; nil if it needs none of these.
    static func named(_ keyword: String) -> Rejection? {
        guard let buffer = name(of: keyword) else { return nil }
        return Rejection("needs the application buffer \(buffer)")
    }

    /// The buffer that a `pcre` names by a flag of its own.
    static func flagged(_ flag: UInt8) -> Rejection? {
        let buffer: String
        switch flag {
        case UInt8(ascii: "U"): buffer = "http.uri"
        case UInt8(ascii: "I"): buffer = "http.uri.raw"
        case UInt8(ascii: "P"): buffer = "http.request_body"
        case UInt8(ascii: "Q"): buffer = "http.response_body"
        case UInt8(ascii: "H"): buffer = "http.header"
        case UInt8(ascii: "D"): buffer = "http.header.raw"
        case UInt8(ascii: "M"): buffer = "http.method"
        case UInt8(ascii: "C"), UInt8(ascii: "K"): buffer = "http.cookie"
        case UInt8(ascii: "S"): buffer = "http.stat_code"
        case UInt8(ascii: "Y"): buffer = "http.stat_msg"
        case UInt8(ascii: "V"): buffer = "http.user_agent"
        case UInt8(ascii: "W"), UInt8(ascii: "Z"): buffer = "http.host"
        default: return nil
        }
        return Rejection("needs the application buffer \(buffer)")
    }

    private static func name(of keyword: String) -> String? {
        if let name = renamed[keyword] { return name }
        if single.contains(keyword) { return keyword }
        // Families: http.uri, http_uri, tls.sni …
        for family in families where keyword.hasPrefix(family) && keyword.count > family.count + 1 {
            let mark = keyword[keyword.index(keyword.startIndex, offsetBy: family.count)]
            if mark == "." || mark == "_" {
                return family + "." + keyword.dropFirst(family.count + 1)
            }
        }
        return nil
    }

    private static let families = [
        "http2", "http", "dns", "mdns", "tls", "ssh", "ssl", "smb", "smtp", "ftp", "ftpdata", "nfs", "krb5", "sip",
        "sdp",
        "snmp", "mqtt", "dhcp", "dcerpc", "dce", "dnp3", "enip", "cip", "modbus", "rfb", "quic", "rdp", "ike",
        "ldap", "pgsql", "websocket", "email", "ja3", "ja3s", "ja4", "ikev2", "template", "tftp", "imap", "pop3",
        "mime", "s7commplus", "gtp", "iec104", "mms", "opcua", "file", "js", "vba",
    ]

    /// Old names for buffers that have another now.
    private static let renamed = [
        "uricontent": "http.uri", "urilen": "http.uri", "http_client_body": "http.request_body",
        "http_server_body": "http.response_body", "http_raw_uri": "http.uri.raw", "http_raw_header": "http.header.raw",
        "http_raw_host": "http.host.raw", "http_raw_cookie": "http.cookie", "http_raw_body": "http.request_body",
        "file_data": "file.data", "dns_query": "dns.query", "ja3_hash": "ja3.hash", "tls_sni": "tls.sni",
        "ftpbounce": "ftp.command",
    ]

    /// Keywords that stand for a buffer or a parser's findings without the name of a family in front.
    private static let single: Set = [
        "filename", "fileext", "filemagic", "filestore", "filesize", "filemd5", "filesha1", "filesha256",
        "dnp3", "modbus", "dcerpc", "ja3", "ja3s", "ja4", "app-layer-event", "app-layer-protocol",
        "app-layer-state", "appids", "cvs",
    ]
}
