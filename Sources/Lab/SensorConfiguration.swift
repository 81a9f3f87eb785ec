/// The configuration file of the lab's sensor. The defaults are the demo's; a test changes what it is about.
public struct SensorConfiguration: Sendable {
    /// One limit of one class.
    public struct Limit: Sendable {
        public var floodClass: String
        /// Packets a second: the alarm, its end, and what `throttle` lets through.
        public var rate: Int
        public var exit: Int
        public var pass: Int?
        public var action: String
        public var truncatesDNS: Bool

        public init(
            _ floodClass: String, rate: Int, exit: Int, action: String, pass: Int? = nil, truncatesDNS: Bool = false
        ) {
            self.truncatesDNS = truncatesDNS
            self.floodClass = floodClass
            self.rate = rate
            self.exit = exit
            self.action = action
            self.pass = pass
        }

        var yaml: String {
            let pass = pass.map { ", pass: \($0)" } ?? ""
            let truncate = truncatesDNS ? ", truncate-dns: true" : ""
            return "\(floodClass): {rate: \(rate), exit: \(exit), action: \(action)\(pass)\(truncate)}"
        }
    }

    public var workers = 2
    /// Where the workers run; as the sensor chooses if empty.
    public var cores: [Int] = []
    /// Runs with the priority that its service has (Systemd/flinchd.service, Nice).
    public var hasServicePriority = false
    public var firstQueue = 0
    public var queueLength = 16384
    /// `auto`, `bridge` or `inet`.
    public var backend = "auto"
    /// `pass` or `drop`.
    public var whenStopped = "pass"
    public var whenOverloaded = "pass"
    public var shadow = false
    /// By guest; a guest that is not named has the medium limits.
    public var limits: [String: [Limit]] = SensorConfiguration.demoLimits
    public var shadowGuests: Set<String> = []
    /// Guests that are only watched, in a mirror that `more` names.
    public var watchedGuests: Set<String> = []
    public var ruleFiles: [String] = []
    /// Whether the guests' hardware addresses are in the file, beside their ports.
    public var namesMACs = false
    /// What stands behind `guests:` instead of the lab's guests, such as where they are found.
    public var guests: String?
    /// Empty for all of the host.
    public var bridges = ["br0"]
    /// What of the traffic is not looked at, and what alone is; as the file has it.
    public var exclude: [String] = []
    public var only: [String] = []
    /// Sections of the file beside those that the rest of this makes.
    public var more = ""
    /// What else the section `events` has, each with a comma before it.
    public var moreOfEvents = ""
    /// Events of conversations that are over.
    public var flows = false
    /// eve.json and the control socket; in the lab's directory unless set.
    public var eve: String?
    public var control: String?
    /// Folder of what outlives the sensor, in the lab's directory: a second sensor has its own.
    public var state = "state"

    public init() {}

    /// Throttle where ordinary traffic of the class should go on, deny where there is none; a guest for whom
    /// every class only alerts, and one that is defended source by source.
    public static let demoLimits: [String: [Limit]] = [
        "web": [
            Limit("syn", rate: 2000, exit: 1000, action: "throttle", pass: 500),
            Limit("icmp", rate: 1000, exit: 500, action: "deny"),
            Limit("fragment", rate: 1000, exit: 500, action: "deny"),
        ],
        "dns": [Limit("udp", rate: 4000, exit: 2000, action: "throttle", pass: 2000)],
        "smb": [Limit("tcp", rate: 4000, exit: 2000, action: "throttle", pass: 1000)],
        "watch": [
            Limit("syn", rate: 2000, exit: 1000, action: "alert"),
            Limit("tcp", rate: 4000, exit: 2000, action: "alert"),
            Limit("udp", rate: 4000, exit: 2000, action: "alert"),
            Limit("icmp", rate: 1000, exit: 500, action: "alert"),
            Limit("fragment", rate: 1000, exit: 500, action: "alert"),
        ],
        "shop": [
            Limit("syn", rate: 1000, exit: 500, action: "defend"),
            Limit("tcp", rate: 10_000, exit: 5000, action: "defend"),
            Limit("udp", rate: 2000, exit: 1000, action: "defend", pass: 500),
            Limit("icmp", rate: 1000, exit: 500, action: "defend", pass: 100),
            Limit("fragment", rate: 1000, exit: 500, action: "defend", pass: 100),
        ],
    ]

    /// The limit of a class at a guest, where one is set.
    public func limit(_ floodClass: String, at guest: String) -> Limit? {
        limits[guest]?.first { $0.floodClass == floodClass }
    }

    /// The guests are all machines of the lab but the client and the one outside.
    func yaml(for lab: Lab) -> String {
        let guests = lab.guests.map { guest in
            var lines = [
                "  - name: \(guest.name)", "    addresses: [\(guest.ipv4), \"\(guest.ipv6)\"]",
                "    port: \(guest.port)",
            ]
            if namesMACs { lines.append("    mac: \"\(guest.mac)\"") }
            if shadowGuests.contains(guest.name) { lines.append("    shadow: true") }
            if watchedGuests.contains(guest.name) { lines.append("    mode: watched") }
            if let limits = limits[guest.name] {
                lines.append("    floods:")
                lines += limits.map { "      \($0.yaml)" }
            }
            return lines.joined(separator: "\n")
        }
        return """
            sensor: {name: lab, workers: \(workers), cores: \(cores), control: \(control ?? lab.file("flinchd.sock")), state: \(lab.file(state))}
            queues: {first: \(firstQueue), length: \(queueLength)}
            divert:
              backend: \(backend)
              bridges: [\(bridges.joined(separator: ", "))]
              when-stopped: \(whenStopped)
              when-overloaded: \(whenOverloaded)
              arp: pass
              other-protocols: pass
              exclude: [\(exclude.joined(separator: ", "))]
              only: [\(only.joined(separator: ", "))]
            shadow: \(shadow)
            floods: {sensitivity: medium, action: throttle}
            guests: \(self.guests ?? "\n" + guests.joined(separator: "\n"))
            rules: {files: [\(ruleFiles.joined(separator: ", "))]}
            events: {eve: \(eve ?? lab.file("eve.json")), flows: \(flows)\(moreOfEvents)}
            \(more)

            """
    }
}
