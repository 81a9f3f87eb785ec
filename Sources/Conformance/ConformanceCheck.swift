import Evidence
import Wire

/// What is said of a check.
public struct ConformanceCheck: Sendable {
    public let check: Check
    /// Fixed for ever: policies and events name it. The protocol, a dot, what is wrong.
    public let identifier: String
    /// For a person.
    public let text: String
    /// The document that says how it should be.
    public let reference: String
    /// Unless the policy says otherwise.
    public let setting: CheckSetting
    /// Why a packet is dropped that fails it.
    public let reason: Reason
    /// Suricata's names of it: rules ask for them with `decode-event`.
    public let events: [DecodeEvent]

    /// What comes before the dot.
    public var protocolName: Substring { identifier.prefix { $0 != "." } }

    init(
        _ check: Check, _ identifier: String, _ concern: Concern, _ action: CheckAction, _ text: String,
        _ reference: String, reason: Reason = .malformed, _ events: [DecodeEvent] = []
    ) {
        self.check = check
        self.identifier = identifier
        self.text = text
        self.reference = reference
        setting = CheckSetting(action: action, concern: concern)
        self.reason = reason
        self.events = events
    }
}

/// What becomes of a packet that fails a check.
public enum CheckAction: String, Sendable, CaseIterable {
    /// Nothing is said.
    case off
    case alert
    /// And an alert.
    case drop
}

public struct CheckSetting: Equatable, Sendable {
    public var action: CheckAction
    public var concern: Concern

    public init(action: CheckAction, concern: Concern) {
        self.action = action
        self.concern = concern
    }
}

/// Every check, in the order of `Check`.
public enum Checks {
    public static let all = tables.joined().sorted { $0.check.rawValue < $1.check.rawValue }

    /// As a person reads them: from the link up.
    public static let tables = [
        link, tunnels, neighbours, internet, fragments, tcp, udp, icmp, neighbourDiscovery, otherTransports, dns,
        netbios, http, tls,
    ]

    public static subscript(check: Check) -> ConformanceCheck { all[Int(check.rawValue)] }

    /// Those that are about who sends a packet, whatever address it has.
    public static let ofSender: CheckSet = {
        var set = CheckSet()
        let checks: [Check] = [.guestMACSpoofed, .guestMACChanged, .guestAddressSpoofed, .rogueRouter, .rogueDHCP]
        for check in checks { set.insert(check) }
        return set
    }()

    /// The check of this identifier.
    public static func named(_ identifier: String) -> ConformanceCheck? {
        all.first { $0.identifier == identifier }
    }

    /// The checks of one protocol: the first word of their identifiers.
    public static func of(protocol name: some StringProtocol) -> [ConformanceCheck] {
        all.filter { $0.protocolName == name }
    }
}
