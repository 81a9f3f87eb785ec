/// The classes a rule may name, with their texts and priorities.
struct Classification: Sendable {
    struct Class: Sendable {
        let text: String
        let priority: UInt8
    }

    /// By name in lower case.
    private(set) var classes: [String: Class]

    /// The ones that Suricata's stock classification.config defines.
    static let stock = Classification(classes: [
        "not-suspicious": Class(text: "Not Suspicious Traffic", priority: 3),
        "unknown": Class(text: "Unknown Traffic", priority: 3),
        "bad-unknown": Class(text: "Potentially Bad Traffic", priority: 2),
        "attempted-recon": Class(text: "Attempted Information Leak", priority: 2),
        "successful-recon-limited": Class(text: "Information Leak", priority: 2),
        "successful-recon-largescale": Class(text: "Large Scale Information Leak", priority: 2),
        "attempted-dos": Class(text: "Attempted Denial of Service", priority: 2),
        "successful-dos": Class(text: "Denial of Service", priority: 2),
        "attempted-user": Class(text: "Attempted User Privilege Gain", priority: 1),
        "unsuccessful-user": Class(text: "Unsuccessful User Privilege Gain", priority: 1),
        "successful-user": Class(text: "Successful User Privilege Gain", priority: 1),
        "attempted-admin": Class(text: "Attempted Administrator Privilege Gain", priority: 1),
        "successful-admin": Class(text: "Successful Administrator Privilege Gain", priority: 1),
        "rpc-portmap-decode": Class(text: "Decode of an RPC Query", priority: 2),
        "shellcode-detect": Class(text: "Executable code was detected", priority: 1),
        "string-detect": Class(text: "A suspicious string was detected", priority: 3),
        "suspicious-filename-detect": Class(text: "A suspicious filename was detected", priority: 2),
        "suspicious-login": Class(
            text: "An attempted login using a suspicious username was detected", priority: 2),
        "system-call-detect": Class(text: "A system call was detected", priority: 2),
        "tcp-connection": Class(text: "A TCP connection was detected", priority: 4),
        "trojan-activity": Class(text: "A Network Trojan was detected", priority: 1),
        "unusual-client-port-connection": Class(text: "A client was using an unusual port", priority: 2),
        "network-scan": Class(text: "Detection of a Network Scan", priority: 3),
        "denial-of-service": Class(text: "Detection of a Denial of Service Attack", priority: 2),
        "non-standard-protocol": Class(
            text: "Detection of a non-standard protocol or event", priority: 2),
        "protocol-command-decode": Class(text: "Generic Protocol Command Decode", priority: 3),
        "web-application-activity": Class(
            text: "access to a potentially vulnerable web application", priority: 2),
        "web-application-attack": Class(text: "Web Application Attack", priority: 1),
        "misc-activity": Class(text: "Misc activity", priority: 3),
        "misc-attack": Class(text: "Misc Attack", priority: 2),
        "icmp-event": Class(text: "Generic ICMP event", priority: 3),
        "inappropriate-content": Class(text: "Inappropriate Content was Detected", priority: 1),
        "policy-violation": Class(text: "Potential Corporate Privacy Violation", priority: 1),
        "default-login-attempt": Class(
            text: "Attempt to login by a default username and password", priority: 2),
        "sdf": Class(text: "Sensitive Data", priority: 2),
        "file-format": Class(text: "Known malicious file or file based exploit", priority: 1),
        "malware-cnc": Class(text: "Known malware command and control traffic", priority: 1),
        "client-side-exploit": Class(text: "Known client side exploit attempt", priority: 1),
        "targeted-activity": Class(text: "Targeted Malicious Activity was Detected", priority: 1),
        "exploit-kit": Class(text: "Exploit Kit Activity Detected", priority: 1),
        "external-ip-check": Class(text: "Device Retrieving External IP Address Detected", priority: 2),
        "domain-c2": Class(text: "Domain Observed Used for C2 Detected", priority: 1),
        "pup-activity": Class(text: "Possibly Unwanted Program Detected", priority: 2),
        "credential-theft": Class(text: "Successful Credential Theft Detected", priority: 1),
        "social-engineering": Class(text: "Possible Social Engineering Attempted", priority: 2),
        "coin-mining": Class(text: "Crypto Currency Mining Activity Detected", priority: 2),
        "command-and-control": Class(text: "Malware Command and Control Activity Detected", priority: 1),
    ])

    /// What a rule without a class or a priority has.
    static let defaultPriority: UInt8 = 3

    /// Takes in the lines of a file in Suricata's format, `config classification: name,text,priority`. What is
    /// already there is defined anew; of two in one file the first stands.
    mutating func read(_ bytes: [UInt8], _ file: String, _ gathering: inout RuleGathering) {
        var names: Set<String> = []
        for line in RuleLines.split(bytes) {
            do throws(Rejection) {
                let (name, defined) = try Classification.definition(line.text[...])
                if names.insert(name).inserted { classes[name] = defined }
            } catch {
                gathering.refuse(error, file: file, line: line.number, sid: nil)
            }
        }
    }

    private static func definition(_ line: RuleText) throws(Rejection) -> (String, Class) {
        let refusal = Rejection("a class is written config classification: name,text,priority")
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            line[..<colon].words.map(\.string) == ["config", "classification"]
        else { throw refusal }
        let parts = line[(colon + 1)...].listed
        // The text may have commas.
        guard parts.count >= 3, !parts[0].isEmpty, let priority = parts.last?.number.flatMap(UInt8.init(exactly:)),
            priority > 0
        else { throw refusal }
        let text = parts[1..<parts.count - 1].map(\.string).joined(separator: ", ")
        return (parts[0].string.lowercased(), Class(text: text, priority: priority))
    }
}
