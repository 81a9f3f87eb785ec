import Wire

/// Which guest a frame comes from: by the bridge port that it came in by, else by its source hardware address.
/// Immutable once made.
///
/// Both are looked up in one open-addressed table that is at most half full, so a look-up ends soon.
@safe
public final class SenderTable: Sendable {
    public let view: View

    /// `port` finds a port's interface index by its name; nil or 0 for one that is not there now.
    public init(_ guests: [Guest], port: (String) -> UInt32?) {
        var entries: [(key: UInt64, guest: Int32)] = []
        for (index, guest) in guests.enumerated() {
            for name in guest.ports {
                if let port = port(name), port != 0 { entries.append((View.key(port: port), Int32(index))) }
            }
            for mac in guest.macs { entries.append((mac, Int32(index))) }
        }
        var capacity = 2
        while capacity < entries.count * 2 { capacity *= 2 }
        let table = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        unsafe table.initialize(repeating: Entry(key: 0, guest: -1), count: capacity)
        for (key, guest) in entries {
            var place = View.place(key, capacity - 1)
            // What was named first stays.
            while unsafe table[place].key != 0, unsafe table[place].key != key { place = (place + 1) & (capacity - 1) }
            if unsafe table[place].key == 0 { unsafe table[place] = Entry(key: key, guest: guest) }
        }
        let known = UnsafeMutablePointer<Known>.allocate(capacity: max(1, guests.count))
        for (index, guest) in guests.enumerated() { unsafe (known + index).initialize(to: Known(guest)) }
        view = unsafe View(table: table, mask: capacity - 1, isEmpty: entries.isEmpty, known: known)
    }

    deinit {
        unsafe view.table.deallocate()
        unsafe view.known.deallocate()
    }

    public var memoryBytes: Int { (view.mask + 1) * MemoryLayout<Entry>.stride }

    @usableFromInline
    struct Entry: BitwiseCopyable {
        /// 0 for none; a hardware address, or a port with bit 48 set.
        @usableFromInline var key: UInt64
        @usableFromInline var guest: Int32

        @inlinable
        init(key: UInt64, guest: Int32) {
            self.key = key
            self.guest = guest
        }
    }

    /// What is known of a guest's addresses.
    @usableFromInline
    struct Known: BitwiseCopyable {
        var hasMACs: Bool
        var hasV4: Bool
        var hasV6: Bool
        var learning: AddressLearning

        init(_ guest: Guest) {
            hasMACs = !guest.macs.isEmpty
            hasV4 = guest.addresses.contains(where: \.isV4)
            hasV6 = guest.addresses.contains { !$0.isV4 }
            learning = guest.learning
        }
    }

    /// Valid while the table lives.
    @safe @frozen
    public struct View: @unchecked Sendable, BitwiseCopyable {
        @usableFromInline let table: UnsafeMutablePointer<Entry>
        @usableFromInline let mask: Int
        /// No guest has a port or a hardware address that is known.
        public let isEmpty: Bool
        @usableFromInline let known: UnsafeMutablePointer<Known>

        init(table: UnsafeMutablePointer<Entry>, mask: Int, isEmpty: Bool, known: UnsafeMutablePointer<Known>) {
            unsafe self.table = unsafe table
            self.mask = mask
            self.isEmpty = isEmpty
            unsafe self.known = unsafe known
        }

        /// The guest at bridge port `port` (an interface index); -1 for none.
        public func guest(atPort port: UInt32) -> Int32 { port == 0 ? -1 : find(View.key(port: port)) }

        /// The guest that has this hardware address, the first byte in bits 47…40; -1 for none.
        public func guest(ofMAC mac: UInt64) -> Int32 { mac == 0 ? -1 : find(mac) }

        /// Whether it is known which hardware addresses a guest has.
        public func knowsMACs(of guest: Int32) -> Bool { unsafe guest >= 0 && known[Int(guest)].hasMACs }

        /// What is learned of a guest's addresses; nothing for -1.
        public func learning(of guest: Int32) -> AddressLearning { unsafe guest >= 0 ? known[Int(guest)].learning : [] }

        /// Whether any address of the family is known to be the guest's.
        public func hasAddress(_ guest: Int32, isV4: Bool) -> Bool {
            unsafe guest >= 0 && (isV4 ? known[Int(guest)].hasV4 : known[Int(guest)].hasV6)
        }

        private func find(_ key: UInt64) -> Int32 {
            var place = View.place(key, mask)
            while unsafe table[place].key != 0 {
                if unsafe table[place].key == key { return unsafe table[place].guest }
                place = (place + 1) & mask
            }
            return -1
        }

        static func key(port: UInt32) -> UInt64 { 1 << 48 | UInt64(port) }

        static func place(_ key: UInt64, _ mask: Int) -> Int {
            Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        }
    }
}
