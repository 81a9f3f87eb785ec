import Wire

/// Consecutive addresses that belong to one guest.
public struct AddressRange: Sendable, Hashable {
    public var first: Address
    public var last: Address
    /// Index into the list of guests.
    public var guest: Int

    /// How many addresses; nil for 2^63 and more.
    public var count: Int? {
        let (low, borrow) = last.low.subtractingReportingOverflow(first.low)
        guard last.high &- first.high &- (borrow ? 1 : 0) == 0, low < UInt64(Int.max) else { return nil }
        return Int(low) + 1
    }

    /// Disjoint ranges in rising order. Where prefixes overlap the longer one wins; of equal ones, the
    /// guest that is named first.
    public static func flatten(_ guests: [Guest]) -> [AddressRange] {
        var entries: [(prefix: Prefix, guest: Int)] = []
        for (index, guest) in guests.enumerated() {
            for prefix in guest.addresses where !entries.contains(where: { $0.prefix == prefix }) {
                entries.append((prefix, index))
            }
        }
        // Prefixes nest or are disjoint. Sorted by start, and the wider first, each comes after all that
        // contain it: a stack of open prefixes gives the owner of every gap.
        entries.sort {
            $0.prefix.base != $1.prefix.base
                ? $0.prefix.base < $1.prefix.base : $0.prefix.fixedBits < $1.prefix.fixedBits
        }
        var ranges: [AddressRange] = []
        var open: [(last: Address, guest: Int)] = []
        var cursor: Address? = nil  // first address not yet given away inside the innermost open prefix
        func give(upTo last: Address, guest: Int) {
            guard let first = cursor, !(last < first) else { return }
            ranges.append(AddressRange(first: first, last: last, guest: guest))
            cursor = last.successor
        }
        func close(before start: Address?) {
            while let inner = open.last, start.map({ inner.last < $0 }) ?? true {
                give(upTo: inner.last, guest: inner.guest)
                open.removeLast()
            }
        }
        for entry in entries {
            close(before: entry.prefix.base)
            if let outer = open.last, let before = entry.prefix.base.predecessor {
                give(upTo: before, guest: outer.guest)
            }
            cursor = entry.prefix.base
            open.append((entry.prefix.last, entry.guest))
        }
        close(before: nil)
        return ranges
    }
}

extension Address {
    /// The next higher address; nil after the last.
    var successor: Address? {
        let (low, carry) = low.addingReportingOverflow(1)
        guard carry else { return Address(high: high, low: low) }
        return high == .max ? nil : Address(high: high + 1, low: 0)
    }

    /// The next lower address; nil before the first.
    var predecessor: Address? {
        let (low, borrow) = low.subtractingReportingOverflow(1)
        guard borrow else { return Address(high: high, low: low) }
        return high == 0 ? nil : Address(high: high - 1, low: .max)
    }

    func advanced(by distance: Int) -> Address {
        let (sum, carry) = low.addingReportingOverflow(UInt64(distance))
        return Address(high: carry ? high &+ 1 : high, low: sum)
    }
}
