import Evidence
import Floods

/// Reads flood limits. What is nearer to the packet wins: a class over the sensitivity and action beside
/// it, a guest's over those for every guest.
enum FloodReader {
    private static let rates = 1...1_000_000_000

    static func read(_ value: Value, over inherited: FloodLimits) -> FloodLimits {
        var limits = inherited
        guard value.isMapping else {
            value.refuse("a mapping; write it like {sensitivity: high, action: deny, syn: 2000}")
            return limits
        }
        let classes = FloodClass.allCases
        guard let section = value.section(["sensitivity", "action"] + classes.map(\.name)) else {
            return limits
        }
        if let level: Sensitivity = section["sensitivity"]?.choice() {
            for floodClass in classes {
                limits[floodClass] = limit(level.rate(floodClass), like: limits[floodClass])
            }
        }
        if let action = section["action"].flatMap(action) {
            for floodClass in classes { limits[floodClass].action = action }
        }
        for floodClass in classes {
            guard let value = section[floodClass.name] else { continue }
            limits[floodClass] = read(value, floodClass, over: limits[floodClass])
        }
        return limits
    }

    private static func read(_ value: Value, _ floodClass: FloodClass, over inherited: FloodLimit)
        -> FloodLimit
    {
        var limit = inherited
        if value.isMapping {
            if let section = value.section(["rate", "sensitivity", "exit", "action", "pass", "truncate-dns"]) {
                read(section, floodClass, &limit)
            }
        } else if value.number != nil {
            if let rate = value.integer(rates, "packets a second") {
                limit = self.limit(UInt32(rate), like: inherited)
            }
        } else if let level = value.word.flatMap(Sensitivity.init(rawValue:)) {
            limit = self.limit(level.rate(floodClass), like: inherited)
        } else {
            value.refuse("a rate or a level; write packets a second, or low, medium or high")
        }
        return limit
    }

    private static func read(_ section: Section, _ floodClass: FloodClass, _ limit: inout FloodLimit) {
        if let level: Sensitivity = section["sensitivity"]?.choice() {
            limit = self.limit(level.rate(floodClass), like: limit)
        }
        if let value = section["rate"] {
            if let rate = value.integer(rates, "packets a second") {
                limit = self.limit(UInt32(rate), like: limit)
            }
            if section["sensitivity"] != nil {
                value.problem("rate and sensitivity say the same thing; write one of the two")
            }
        }
        limit.action = section["action"].flatMap(action) ?? limit.action
        if let value = section["exit"], let exit = value.integer(rates, "packets a second") {
            if exit > limit.entry {
                value.problem(
                    "\(exit) is above \(limit.entry), the rate that raises the alarm; write at most that")
            }
            limit.exit = UInt32(exit)
        }
        if let value = section["pass"] {
            if value.number == 0 {
                value.problem("0 lets nothing through; write action: deny for that, or a rate from 1")
            } else if let pass = value.integer(rates, "packets a second") {
                limit.pass = UInt32(pass)
            }
        }
        if let value = section["truncate-dns"] {
            limit.truncatesDNS = value.flag() ?? limit.truncatesDNS
            if floodClass != .udp { value.problem("DNS queries come by UDP; write it under udp") }
        }
    }

    /// An alarm that ends below half its rate, but can end: the rate never falls below 0.
    private static func limit(_ entry: UInt32, like other: FloodLimit) -> FloodLimit {
        var limit = other
        (limit.entry, limit.exit, limit.pass) = (entry, max(1, entry / 2), entry)
        return limit
    }

    private static func action(_ value: Value) -> FloodAction? {
        let word: ActionWord? = value.choice()
        return switch word {
        case .alert: .alert
        case .throttle: .throttle
        case .deny: .deny
        case .defend: .defend
        case nil: nil
        }
    }

    private enum ActionWord: String, CaseIterable { case alert, throttle, deny, defend }
}
