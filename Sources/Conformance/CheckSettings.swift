import Evidence
import Wire

/// What a policy does about each check.
public struct CheckSettings: Equatable, Sendable {
    private var settings: [CheckSetting]

    /// The defaults of the table.
    public init() { settings = Checks.all.map(\.setting) }

    public subscript(check: Check) -> CheckSetting {
        get { settings[Int(check.rawValue)] }
        set { settings[Int(check.rawValue)] = newValue }
    }

    /// The same, but whatever is of medium or high concern is dropped.
    public var strict: CheckSettings {
        var copy = self
        for index in copy.settings.indices
        where copy.settings[index].action == .alert && copy.settings[index].concern > .low {
            copy.settings[index].action = .drop
        }
        return copy
    }

    /// The same, but nothing is dropped: what would have been only alerts.
    public var alertOnly: CheckSettings {
        var copy = self
        for index in copy.settings.indices where copy.settings[index].action == .drop {
            copy.settings[index].action = .alert
        }
        return copy
    }
}

/// The settings of all guests, and those for traffic of nobody's, as the packet path reads them; immutable once
/// made.
@safe
public final class CheckTable: Sendable {
    public let guestCount: Int
    public let view: View
    private let byteCount: Int

    public init(guests: [CheckSettings], others: CheckSettings) {
        precondition(Check.allCases.count <= CheckSet.capacity && Checks.all.count == Check.allCases.count)
        guestCount = guests.count
        byteCount = (guests.count + 2) * CheckSet.capacity
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCount)
        unsafe bytes.initialize(repeating: 0, count: byteCount)
        for (index, settings) in ([others] + guests).enumerated() {
            for check in Checks.all {
                unsafe bytes[index * CheckSet.capacity + Int(check.check.rawValue)] =
                    CheckTable.packed(settings[check.check], check.reason)
            }
        }
        let checks = unsafe bytes + (guests.count + 1) * CheckSet.capacity
        unsafe checks.update(repeating: View.none, count: CheckSet.capacity)
        for check in Checks.all where check.isRaisedByEvents {
            for event in check.events { unsafe checks[Int(event.rawValue)] = check.check.rawValue }
        }
        view = unsafe View(settings: bytes, checksOfEvents: checks)
    }

    /// The same for everybody.
    public convenience init(guestCount: Int, _ settings: CheckSettings = CheckSettings()) {
        self.init(guests: Array(repeating: settings, count: guestCount), others: settings)
    }

    deinit { unsafe view.settings.deallocate() }

    /// Bytes held.
    public var memoryBytes: Int { byteCount }

    /// Action 2 bits, concern 2 bits, reason 4 bits, the first lowest.
    private static func packed(_ setting: CheckSetting, _ reason: Reason) -> UInt8 {
        let action: UInt8 =
            switch setting.action {
            case .off: 0
            case .alert: 1
            case .drop: 2
            }
        return action | setting.concern.rawValue << 2 | reason.rawValue << 4
    }

    /// Valid while the table lives.
    @safe @frozen
    public struct View: @unchecked Sendable, BitwiseCopyable {
        /// A byte a check; everybody else's are first, so that guest -1 needs no branch.
        let settings: UnsafeMutablePointer<UInt8>
        /// The check that an event raises, by the event's number.
        let checksOfEvents: UnsafeMutablePointer<UInt8>

        static let none: UInt8 = 255

        /// What the decoder's events raise.
        @inline(never)
        func checks(of events: DecodeEvents) -> CheckSet {
            var rest = events
            var failed = CheckSet()
            while let event = rest.popFirst() {
                let check = unsafe checksOfEvents[Int(event.rawValue)]
                if let check = Check(rawValue: check) { failed.insert(check) }
            }
            return failed
        }

        /// Makes findings of what failed, as guest `guest` has it: -1 or an index into the guests the table was
        /// made for. Returns why the packet is to be dropped; `none` if it is not.
        @inline(never)
        public func report(_ failed: CheckSet, guest: Int32, into findings: inout Findings) -> Reason {
            var rest = failed
            var reason = Reason.none
            while let check = rest.popFirst() {
                let setting = unsafe settings[Int(guest &+ 1) * CheckSet.capacity + Int(check)]
                let action = setting & 3
                guard action != 0 else { continue }
                findings.append(
                    Finding(
                        .conformance, code: UInt32(check), concern: Concern(rawValue: setting >> 2 & 3) ?? .low,
                        asks: action == 2 ? .drop : .accept))
                if action == 2, reason == .none { reason = Reason(rawValue: setting >> 4) ?? .malformed }
            }
            return reason
        }
    }
}

extension ConformanceCheck {
    /// Whether its decoder events are what raises it. The others are anomalies, which are more exact where an event
    /// is about several of them; but the lengths of single options are told by events alone.
    var isRaisedByEvents: Bool {
        switch check {
        case .tcpBadOptionLength, .ipv4BadOptionLength, .ipv6BadOptionLength: true
        default: Int(check.rawValue) >= Anomalies.count
        }
    }
}
