public import Wire

/// The variables a rule file may name: `$HOME_NET`, `$HTTP_PORTS`. Values are in rule syntax and may name
/// other variables.
public struct RuleVariables: Sendable, Equatable {
    public var addresses: [String: String]
    public var ports: [String: String]

    public init(addresses: [String: String], ports: [String: String]) {
        self.addresses = addresses
        self.ports = ports
    }
}

extension RuleVariables {
    /// HOME_NET of Suricata's stock suricata.yaml: the private networks (RFC 1918).
    public static let stockHome = [
        Prefix(Address(v4: 0xC0A8_0000), length: 16), Prefix(Address(v4: 0x0A00_0000), length: 8),
        Prefix(Address(v4: 0xAC10_0000), length: 12),
    ].compactMap(\.self)

    /// The variables of Suricata's stock suricata.yaml and those that Snort's rule files add to them.
    ///
    /// With no `home`, HOME_NET is `any`, and so is EXTERNAL_NET: the complement of `any` would be no
    /// address at all, and every rule that names it would be refused.
    public static func stock(home: [Prefix]) -> RuleVariables {
        let servers = [
            "HTTP_SERVERS", "SMTP_SERVERS", "SQL_SERVERS", "DNS_SERVERS", "TELNET_SERVERS", "DC_SERVERS",
            "DNP3_SERVER", "DNP3_CLIENT", "MODBUS_CLIENT", "MODBUS_SERVER", "ENIP_CLIENT", "ENIP_SERVER",
            "SSH_SERVERS", "FTP_SERVERS", "SIP_SERVERS",
        ]
        var addresses = Dictionary(uniqueKeysWithValues: servers.map { ($0, "$HOME_NET") })
        addresses["HOME_NET"] =
            home.isEmpty ? "any" : "[" + home.map { "\($0)" }.joined(separator: ",") + "]"
        addresses["EXTERNAL_NET"] = home.isEmpty ? "any" : "!$HOME_NET"
        addresses["AIM_SERVERS"] = "$EXTERNAL_NET"
        return RuleVariables(
            addresses: addresses,
            ports: [
                "HTTP_PORTS": "80", "SHELLCODE_PORTS": "!80", "ORACLE_PORTS": "1521", "SSH_PORTS": "22",
                "DNP3_PORTS": "20000", "MODBUS_PORTS": "502", "FILE_DATA_PORTS": "[$HTTP_PORTS,110,143]",
                "FTP_PORTS": "21", "GENEVE_PORTS": "6081", "VXLAN_PORTS": "4789", "TEREDO_PORTS": "3544",
                "SIP_PORTS": "[5060,5061]",
            ])
    }
}
