import Evidence
import Wire

/// The variables a rule file may name: `$HOME_NET`, `$HTTP_PORTS`. Values are in rule syntax.
public struct RuleVariables: Sendable, Equatable {
    public var addresses: [String: String]
    public var ports: [String: String]

    public init(addresses: [String: String], ports: [String: String]) {
        self.addresses = addresses
        self.ports = ports
    }
}

/// A line of a rule file that was not loaded, and why.
public struct RuleProblem: Sendable, Equatable {
    public var file: String
    public var line: Int
    public var sid: UInt32?
    public var reason: String

    public init(file: String, line: Int, sid: UInt32?, reason: String) {
        self.file = file
        self.line = line
        self.sid = sid
        self.reason = reason
    }
}
