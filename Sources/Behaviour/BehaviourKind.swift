import Evidence

/// What a host can be seen to do. Raw values are numbers in events: append, never reorder.
public enum BehaviourKind: UInt8, Sendable, CaseIterable {
    case scanSYN, scanConnect, scanFIN, scanXmas, scanNull, scanACK, scanMaimon, scanOdd, scanUDP, scanSCTP,
        scanProtocols, scanPing
    case loginSSH, loginRDP, loginSMB
    case newPeers, newServices, roleChange, beacon, outwardFlood, newPair

    /// Fixed for ever: policies and events name it.
    public var identifier: String {
        switch self {
        case .scanSYN: "scan.syn"
        case .scanConnect: "scan.connect"
        case .scanFIN: "scan.fin"
        case .scanXmas: "scan.xmas"
        case .scanNull: "scan.null"
        case .scanACK: "scan.ack"
        case .scanMaimon: "scan.maimon"
        case .scanOdd: "scan.odd_flags"
        case .scanUDP: "scan.udp"
        case .scanSCTP: "scan.sctp"
        case .scanProtocols: "scan.ip_protocols"
        case .scanPing: "scan.ping"
        case .loginSSH: "login.ssh"
        case .loginRDP: "login.rdp"
        case .loginSMB: "login.smb"
        case .newPeers: "guest.new_peers"
        case .newServices: "guest.new_services"
        case .roleChange: "guest.role_change"
        case .beacon: "guest.beacon"
        case .outwardFlood: "guest.flood"
        case .newPair: "guest.new_pair"
        }
    }

    /// For a person, in a sentence that goes on with who is concerned.
    public var text: String {
        switch self {
        case .scanSYN: "TCP SYN scan"
        case .scanConnect: "TCP connect scan"
        case .scanFIN: "TCP FIN scan"
        case .scanXmas: "TCP Xmas scan"
        case .scanNull: "TCP null scan"
        case .scanACK: "TCP ACK scan"
        case .scanMaimon: "TCP Maimon scan"
        case .scanOdd: "TCP scan with impossible flags"
        case .scanUDP: "UDP scan"
        case .scanSCTP: "SCTP scan"
        case .scanProtocols: "IP protocol scan"
        case .scanPing: "ping sweep"
        case .loginSSH: "SSH logins are being tried"
        case .loginRDP: "RDP logins are being tried"
        case .loginSMB: "SMB logins are being tried"
        case .newPeers: "talks to many new peers"
        case .newServices: "uses many new services"
        case .roleChange: "changes its role"
        case .beacon: "calls at a fixed period"
        case .outwardFlood: "floods outward"
        case .newPair: "talks to a guest that it never talked to"
        }
    }

    /// Unless the policy says otherwise.
    public var setting: CheckSetting {
        switch self {
        case .loginSSH, .loginRDP, .loginSMB, .outwardFlood: CheckSetting(action: .alert, concern: .high)
        case .beacon, .newPair: CheckSetting(action: .alert, concern: .low)
        default: CheckSetting(action: .alert, concern: .medium)
        }
    }

    public var isScan: Bool { rawValue <= BehaviourKind.scanPing.rawValue }

    /// What a policy may name besides single kinds: what comes before the dot.
    public var family: Substring { identifier.prefix { $0 != "." } }

    public static func named(_ identifier: String) -> BehaviourKind? { allCases.first { $0.identifier == identifier } }

    /// The scan that a probe is of, if it comes to nothing.
    init?(_ probe: Probe) {
        switch probe {
        case .none, .other: return nil
        case .rawSYN: self = .scanSYN
        case .syn: self = .scanConnect
        case .null: self = .scanNull
        case .fin: self = .scanFIN
        case .xmas: self = .scanXmas
        case .maimon: self = .scanMaimon
        case .ack: self = .scanACK
        case .oddFlags: self = .scanOdd
        case .udp: self = .scanUDP
        case .ping: self = .scanPing
        case .sctp: self = .scanSCTP
        case .ipProtocol: self = .scanProtocols
        }
    }
}

extension BehaviourKind {
    init?(_ login: Login) {
        switch login {
        case .none: return nil
        case .ssh: self = .loginSSH
        case .rdp: self = .loginRDP
        case .smb: self = .loginSMB
        }
    }
}

/// What a policy does about each.
public struct BehaviourSettings: Equatable, Sendable {
    private var settings: [CheckSetting]

    public init() { settings = BehaviourKind.allCases.map(\.setting) }

    public subscript(kind: BehaviourKind) -> CheckSetting {
        get { settings[Int(kind.rawValue)] }
        set { settings[Int(kind.rawValue)] = newValue }
    }

    /// What is at least of medium concern is dropped, save what is only new for a guest: after an update it may be
    /// right, and to refuse it would take the guest off the network.
    public var strict: BehaviourSettings {
        var other = self
        let unusual: [BehaviourKind] = [.newPeers, .newServices, .roleChange, .beacon, .newPair]
        for kind in BehaviourKind.allCases
        where other[kind].action == .alert && other[kind].concern >= .medium && !unusual.contains(kind) {
            other[kind].action = .drop
        }
        return other
    }

    /// Nothing is dropped: for what was delivered long ago.
    public var alertOnly: BehaviourSettings {
        var other = self
        for kind in BehaviourKind.allCases where other[kind].action == .drop { other[kind].action = .alert }
        return other
    }
}
