public import Evidence

/// What a policy does about a rule, in place of what the rule itself asks for. A rule that lets pass keeps its action.
public enum RuleHandling: String, Sendable, CaseIterable {
    case asWritten = "as-written"
    /// Nothing is said and nothing done; what the rule does to flowbits it does.
    case off
    case alert
    /// And an alert, unless the rule is silent.
    case drop
}

/// The handling of every rule by every guest, as the packet path reads it; immutable once made. Guests with the same
/// share it, and where all is as written there is none.
@safe
public final class RuleHandlingTable: Sendable {
    public let guestCount: Int
    public let view: View
    public let memoryBytes: Int

    /// A list holds a rule's handling by the rule's index, for each guest and for traffic of nobody's.
    public init(guests: [[RuleHandling]], others: [RuleHandling]) {
        guestCount = guests.count
        var rows: [[RuleHandling]: Int] = [:]
        var starts: [Int] = []
        var bytes: [UInt8] = []
        for list in [others] + guests {
            guard list.contains(where: { $0 != .asWritten }) else {
                starts.append(-1)
                continue
            }
            if rows[list] == nil {
                rows[list] = bytes.count
                bytes += list.map { UInt8(RuleHandling.allCases.firstIndex(of: $0)!) }
            }
            starts.append(rows[list]!)
        }
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        unsafe table.initialize(from: bytes, count: bytes.count)
        let offsets = UnsafeMutablePointer<Int>.allocate(capacity: starts.count)
        unsafe offsets.initialize(from: starts, count: starts.count)
        view = unsafe View(table: table, offsets: offsets)
        memoryBytes = bytes.count + starts.count * MemoryLayout<Int>.stride
    }

    /// All as written.
    public convenience init(guestCount: Int) {
        self.init(guests: Array(repeating: [], count: guestCount), others: [])
    }

    deinit {
        unsafe view.table.deallocate()
        unsafe view.offsets.deallocate()
    }

    /// Valid while the table lives.
    @safe @frozen
    public struct View: @unchecked Sendable, BitwiseCopyable {
        let table: UnsafeMutablePointer<UInt8>
        /// Where a guest's handlings begin; -1 for none. Everybody else's is first.
        let offsets: UnsafeMutablePointer<Int>

        /// `guest` must be -1 or an index into the guests the table was made for.
        public subscript(guest: Int32) -> RuleHandlings {
            let offset = unsafe offsets[Int(guest &+ 1)]
            return unsafe RuleHandlings(bytes: offset < 0 ? nil : UnsafePointer(table + offset))
        }
    }
}

/// Of one guest. Valid while its table lives.
@safe @frozen
public struct RuleHandlings: BitwiseCopyable, @unchecked Sendable {
    let bytes: UnsafePointer<UInt8>?

    init(bytes: UnsafePointer<UInt8>?) { unsafe self.bytes = unsafe bytes }

    /// All rules as they are written.
    public static var asWritten: RuleHandlings { unsafe RuleHandlings(bytes: nil) }

    /// Puts the handling of the rule of `finding` in place of its action. Returns false if the rule is off.
    @inline(__always)
    func apply(to finding: inout Finding, _ action: inout RuleAction) -> Bool {
        guard let bytes = unsafe bytes, action != .pass else { return true }
        switch unsafe bytes[Int(finding.code)] {
        case 1: return false
        case 2: action = .alert
        case 3: action = .drop
        default: return true
        }
        finding.asks = action == .drop ? .drop : .accept
        finding.rejects = []
        return true
    }
}
