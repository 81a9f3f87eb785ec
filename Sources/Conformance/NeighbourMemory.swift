import Wire

/// What one worker remembers of who is where: which hardware address an IPv4 address had, who asked for whom, which
/// hardware address sends at a guest's port. Fixed tables; a new entry takes the place of the oldest in its set.
@safe
public struct NeighbourMemory: ~Copyable {
    /// Nanoseconds for which a binding is believed, as Linux keeps one (gc_stale_time and more), and within which
    /// a question may be answered.
    static var bindingLife: UInt64 { 1_200_000_000_000 }
    static var questionLife: UInt64 { 60_000_000_000 }

    private static var ways: Int { 4 }
    private static var bindingSets: Int { 512 }
    private static var questionSets: Int { 256 }
    private static var portCount: Int { 1024 }

    private struct Entry: BitwiseCopyable {
        /// Of a binding the address, of a question who asked and for whom.
        var key: UInt64 = 0
        var mac: UInt64 = 0
        /// 0 for an entry that is free.
        var time: UInt64 = 0
    }

    private struct Port: BitwiseCopyable {
        var port: UInt32 = 0
        var mac: UInt64 = 0
    }

    private let bindings: UnsafeMutablePointer<Entry>
    private let questions: UnsafeMutablePointer<Entry>
    private let ports: UnsafeMutablePointer<Port>
    private let secret: SecretHash

    /// `seed` keys the tables: on a live network nobody may know who shares a set with whom.
    public init(seed: UInt64) {
        secret = SecretHash(seed: seed)
        unsafe bindings = .allocate(capacity: NeighbourMemory.bindingSets * NeighbourMemory.ways)
        unsafe bindings.initialize(repeating: Entry(), count: NeighbourMemory.bindingSets * NeighbourMemory.ways)
        unsafe questions = .allocate(capacity: NeighbourMemory.questionSets * NeighbourMemory.ways)
        unsafe questions.initialize(repeating: Entry(), count: NeighbourMemory.questionSets * NeighbourMemory.ways)
        unsafe ports = .allocate(capacity: NeighbourMemory.portCount)
        unsafe ports.initialize(repeating: Port(), count: NeighbourMemory.portCount)
    }

    deinit {
        unsafe bindings.deallocate()
        unsafe questions.deallocate()
        unsafe ports.deallocate()
    }

    public static var memoryBytes: Int {
        (bindingSets + questionSets) * ways * MemoryLayout<Entry>.stride + portCount * MemoryLayout<Port>.stride
    }

    /// Binds an IPv4 address to a hardware address. Returns whether it had another until now.
    mutating func conflicts(_ address: Address, _ mac: UInt64, _ time: UInt64) -> Bool {
        let entry = unsafe NeighbourMemory.place(
            address.low, in: bindings, sets: NeighbourMemory.bindingSets, secret)
        let former = unsafe entry.pointee
        unsafe entry.pointee = Entry(key: address.low, mac: mac, time: max(1, time))
        return former.time != 0 && former.key == address.low && former.mac != mac
            && time &- former.time < NeighbourMemory.bindingLife
    }

    /// Remembers that `sender` asked for the hardware address of `target`.
    mutating func remember(asking sender: Address, of target: Address, _ time: UInt64) {
        let key = NeighbourMemory.question(sender, target)
        let entry = unsafe NeighbourMemory.place(key, in: questions, sets: NeighbourMemory.questionSets, secret)
        unsafe entry.pointee = Entry(key: key, mac: 0, time: max(1, time))
    }

    /// Whether `target` was asked for by `sender` a short while ago.
    mutating func wasAsked(_ target: Address, by sender: Address, _ time: UInt64) -> Bool {
        let key = NeighbourMemory.question(sender, target)
        let entry = unsafe NeighbourMemory.place(key, in: questions, sets: NeighbourMemory.questionSets, secret)
        return unsafe entry.pointee.time != 0 && entry.pointee.key == key
            && time &- entry.pointee.time < NeighbourMemory.questionLife
    }

    /// Whether a guest's port sent from another hardware address until now. Two ports in one place forget each
    /// other, and nothing is said.
    mutating func isNew(_ mac: UInt64, at port: UInt32) -> Bool {
        let place = unsafe ports + Int(port) % NeighbourMemory.portCount
        let former = unsafe place.pointee
        guard former.mac != mac || former.port != port else { return false }
        unsafe place.pointee = Port(port: port, mac: mac)
        return former.port == port
    }

    private static func question(_ sender: Address, _ target: Address) -> UInt64 {
        sender.low << 32 | target.low & 0xFFFF_FFFF
    }

    /// The entry of `key`, or the one that it is to take: a free one, else the oldest of its set.
    private static func place(
        _ key: UInt64, in entries: UnsafeMutablePointer<Entry>, sets: Int, _ secret: SecretHash
    ) -> UnsafeMutablePointer<Entry> {
        let set = unsafe entries + Int(secret.hash(key, 0) & UInt64(sets - 1)) * ways
        var oldest = unsafe set
        for way in 0..<ways {
            let entry = unsafe set + way
            if unsafe entry.pointee.time != 0 && entry.pointee.key == key { return unsafe entry }
            if unsafe entry.pointee.time < oldest.pointee.time { unsafe oldest = unsafe entry }
        }
        return unsafe oldest
    }
}
