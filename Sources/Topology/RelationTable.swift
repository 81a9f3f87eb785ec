import Evidence
import Wire

/// Which relation holds between two addresses, as the packet path asks it; immutable once made.
///
/// The parties' prefixes cut the addresses into ranges, and ranges that the same parties share are one class: two
/// binary searches and one element of a table of class by class. Of several relations the first holds.
@safe
public final class RelationTable: Sendable {
    /// Relations, and classes of addresses, that one table holds.
    public static let limit = 256

    public let view: View
    private let classCount: Int

    /// How many classes of addresses these make; what is more than `limit` is too many for a table.
    public static func classCount(of relations: [Relation]) -> Int { Classes(relations).members.count }

    /// At most `limit` relations, which make at most `limit` classes.
    public init(_ relations: [Relation]) {
        let classes = Classes(relations)
        classCount = classes.members.count
        precondition(relations.count <= RelationTable.limit && classCount <= RelationTable.limit)
        let ranges = UnsafeMutablePointer<Range>.allocate(capacity: classes.ranges.count)
        unsafe ranges.initialize(from: classes.ranges, count: classes.ranges.count)
        let table = UnsafeMutablePointer<Int16>.allocate(capacity: classCount * classCount)
        for (i, sender) in classes.members.enumerated() {
            for (j, receiver) in classes.members.enumerated() {
                let first = relations.indices.first { sender.contains(2 * $0) && receiver.contains(2 * $0 + 1) }
                unsafe (table + i * classCount + j).initialize(to: Int16(first ?? -1))
            }
        }
        let findings = UnsafeMutablePointer<Finding>.allocate(capacity: max(1, relations.count))
        for (index, relation) in relations.enumerated() {
            unsafe (findings + index).initialize(
                to: Finding(
                    .relation, code: UInt32(index), concern: relation.concern,
                    asks: relation.action == .deny ? .drop : .accept))
            // Of what is allowed nothing is said: no finding is looked up.
            if relation.action == .allow {
                for place in 0..<classCount * classCount where unsafe Int(table[place]) == index {
                    unsafe table[place] = -1
                }
            }
        }
        view = unsafe View(
            ranges: ranges, rangeCount: classes.ranges.count, table: table, classCount: classCount,
            findings: findings, isEmpty: relations.allSatisfy { $0.action == .allow })
    }

    deinit {
        unsafe view.ranges.deallocate()
        unsafe view.table.deallocate()
        unsafe view.findings.deallocate()
    }

    /// Bytes held.
    public var memoryBytes: Int {
        view.rangeCount * MemoryLayout<Range>.stride + classCount * classCount * MemoryLayout<Int16>.stride
    }

    /// Addresses from `first` to the next range's.
    @usableFromInline
    struct Range: BitwiseCopyable {
        @usableFromInline var first: Address
        @usableFromInline var addressClass: UInt16
    }

    /// The ranges, and of each class which parties it is among: 2i for the senders of relation i, 2i + 1 for its
    /// receivers.
    private struct Classes {
        var ranges: [Range] = []
        var members: [Set<Int>] = []

        init(_ relations: [Relation]) {
            var changes: [(at: Address, party: Int, by: Int)] = []
            for (index, relation) in relations.enumerated() {
                for (party, addresses) in [
                    (2 * index, relation.from.addresses), (2 * index + 1, relation.to.addresses),
                ] {
                    for prefix in addresses {
                        changes.append((prefix.base, party, 1))
                        if let next = prefix.last.successor { changes.append((next, party, -1)) }
                    }
                }
            }
            changes.sort { $0.at < $1.at }
            var numbers: [Set<Int>: Int] = [:]
            // Prefixes of one party may overlap.
            var depth: [Int: Int] = [:]
            func close(from first: Address) {
                let set = Set(depth.keys)
                let number = numbers[set] ?? members.count
                if number == members.count {
                    numbers[set] = number
                    members.append(set)
                }
                if ranges.last?.first == first { ranges.removeLast() }
                guard ranges.last.map({ Int($0.addressClass) != number }) ?? true else { return }
                ranges.append(Range(first: first, addressClass: UInt16(truncatingIfNeeded: number)))
            }
            close(from: Address(high: 0, low: 0))
            var index = 0
            while index < changes.count {
                let at = changes[index].at
                while index < changes.count, changes[index].at == at {
                    let now = depth[changes[index].party, default: 0] + changes[index].by
                    depth[changes[index].party] = now == 0 ? nil : now
                    index += 1
                }
                close(from: at)
            }
        }
    }
}

// MARK: - The packet path

extension RelationTable {
    /// Valid while the table lives.
    @safe @frozen
    public struct View: @unchecked Sendable, BitwiseCopyable {
        @usableFromInline let ranges: UnsafeMutablePointer<Range>
        @usableFromInline let rangeCount: Int
        @usableFromInline let table: UnsafeMutablePointer<Int16>
        @usableFromInline let classCount: Int
        @usableFromInline let findings: UnsafeMutablePointer<Finding>
        /// Nothing is said of anybody.
        public let isEmpty: Bool

        init(
            ranges: UnsafeMutablePointer<Range>, rangeCount: Int, table: UnsafeMutablePointer<Int16>, classCount: Int,
            findings: UnsafeMutablePointer<Finding>, isEmpty: Bool
        ) {
            unsafe self.ranges = unsafe ranges
            self.rangeCount = rangeCount
            unsafe self.table = unsafe table
            self.classCount = classCount
            unsafe self.findings = unsafe findings
            self.isEmpty = isEmpty
        }

        /// Index of the relation for `source` beginning to talk to `destination`; negative where nothing is said.
        public func relation(from source: Address, to destination: Address) -> Int16 {
            unsafe table[addressClass(source) &* classCount &+ addressClass(destination)]
        }

        /// The one that lets more pass.
        public func kinder(_ a: Int16, _ b: Int16) -> Int16 {
            guard a >= 0, b >= 0 else { return -1 }
            return unsafe findings[Int(a)].asks == .accept ? a : b
        }

        /// What is found where relation `index` holds; nil for a negative one.
        public func finding(of index: Int16) -> Finding? { unsafe index < 0 ? nil : findings[Int(index)] }

        private func addressClass(_ address: Address) -> Int {
            var low = 0
            var high = rangeCount
            while low < high {
                let middle = (low &+ high) >> 1
                if unsafe address < ranges[middle].first { high = middle } else { low = middle &+ 1 }
            }
            // The first range begins with the first address.
            return unsafe Int(ranges[low &- 1].addressClass)
        }
    }
}
