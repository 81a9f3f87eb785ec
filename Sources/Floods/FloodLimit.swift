import Evidence

/// What to do with a flood.
public enum FloodAction: UInt8, Sendable, CaseIterable {
    case alert, throttle, deny
    /// Tell the sources apart: those that have proved themselves go on, others are asked for proof.
    case defend
}

/// When packets of one class to one host are a flood, and what is done then. Rates in packets a second.
public struct FloodLimit: Sendable, Equatable {
    /// The alarm is raised at this rate …
    public var entry: UInt32
    /// … and ends once the rate has stayed below this one.
    public var exit: UInt32
    public var action: FloodAction
    /// What `throttle` lets through.
    public var pass: UInt32
    /// Of UDP under `defend`: DNS queries of unknown sources that do not pass are answered as if the answer had been
    /// cut short, so that resolvers come back over TCP.
    public var truncatesDNS = false

    public init(entry: UInt32, exit: UInt32, action: FloodAction, pass: UInt32) {
        self.entry = entry
        self.exit = exit
        self.action = action
        self.pass = pass
    }

    /// The least rate that is called a flood under `defend`. Of TCP only segments of no known connection are
    /// counted then, and a tenth as many of them are a flood.
    func floor(_ floodClass: FloodClass) -> Double { Double(entry) / (floodClass == .tcp ? 10 : 1) }

    /// Exit at half the entry rate; throttle to the entry rate.
    public init(entry: UInt32, action: FloodAction) {
        self.init(entry: entry, exit: entry / 2, action: action, pass: entry)
    }
}

/// Levels an operator can name instead of a rate.
public enum Sensitivity: String, Sendable, CaseIterable {
    case low, medium, high

    /// Packets a second that raise the alarm.
    public func rate(_ floodClass: FloodClass) -> UInt32 {
        switch (self, floodClass) {
        case (.low, .syn): 10_000
        case (.low, .tcp): 200_000
        case (.low, .udp): 100_000
        case (.low, .icmp), (.low, .fragment): 5_000
        case (.medium, .syn): 2_000
        case (.medium, .tcp): 50_000
        case (.medium, .udp): 20_000
        case (.medium, .icmp), (.medium, .fragment): 1_000
        case (.high, .syn): 500
        case (.high, .tcp): 20_000
        case (.high, .udp): 5_000
        case (.high, .icmp), (.high, .fragment): 200
        }
    }
}

/// The limits of one guest, a limit a class.
public struct FloodLimits: Sendable, Equatable {
    private var limits: [FloodLimit]

    /// `medium` for every class, throttled.
    public init(_ sensitivity: Sensitivity = .medium, action: FloodAction = .throttle) {
        limits = FloodClass.allCases.map { FloodLimit(entry: sensitivity.rate($0), action: action) }
    }

    /// The same alarms, and nothing done about them.
    public var alertOnly: FloodLimits {
        var limits = self
        for floodClass in FloodClass.allCases { limits[floodClass].action = .alert }
        return limits
    }

    public subscript(floodClass: FloodClass) -> FloodLimit {
        get { limits[Int(floodClass.rawValue)] }
        set { limits[Int(floodClass.rawValue)] = newValue }
    }
}
