import CLinux

/// Interface index to name, remembered: an event about a tap that vanished with its guest still names it.
public struct InterfaceNames {
    private var known: [UInt32: (name: String, asked: UInt64)] = [:]
    private let lookup: @Sendable (UInt32) -> String?

    /// A name is asked for again after this many nanoseconds, because interfaces can be renamed.
    private static let lifetime: UInt64 = 1_000_000_000
    /// More interfaces than this are not remembered; the memory starts again.
    private static let limit = 4096

    init(lookup: @escaping @Sendable (UInt32) -> String?) {
        self.lookup = lookup
    }

    /// The name of interface `index` at `time` (nanoseconds, any epoch). For one that is not there and
    /// never was asked for, "if" and the number.
    mutating func name(of index: UInt32, at time: UInt64) -> String {
        if let entry = known[index], time &- entry.asked < InterfaceNames.lifetime { return entry.name }
        let name = lookup(index) ?? known[index]?.name
        if known.count >= InterfaceNames.limit, known[index] == nil { known.removeAll(keepingCapacity: true) }
        if let name { known[index] = (name, time) }
        return name ?? "if\(index)"
    }

    /// Asks the kernel, in this thread's network namespace.
    public static func ask(_ index: UInt32) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { name in
            guard let start = name.baseAddress, unsafe if_indextoname(index, start) != nil else {
                return nil
            }
            return unsafe String(cString: start)
        }
    }
}
