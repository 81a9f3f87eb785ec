import Glibc
import Sketches
import Wire

/// What is kept in a `PlaceTable`. All bytes zero is a free place.
protocol PlaceRecord: BitwiseCopyable {
    associatedtype Key: Equatable
    var key: Key { get }
    var isUsed: Bool { get }
    /// Of a set that is full the one that is worth least goes.
    var worth: UInt64 { get }
    static func hash(_ key: Key, _ secret: SecretHash) -> UInt64
}

/// Records that are found by a key, in sets of eight places of fixed memory: a stranger who has many keys takes the
/// places of others that are worth as little. Hashed under a secret, so that nobody chooses whose.
@safe
final class PlaceTable<Record: PlaceRecord> {
    private static var ways: Int { 8 }

    private let places: UnsafeMutablePointer<Record>
    private let setMask: UInt64
    private let secret: SecretHash
    let capacity: Int
    /// Records that had to go for others.
    private(set) var evicted: UInt64 = 0

    /// `capacity` is rounded up to a power of two.
    init(capacity: Int, secret: SecretHash) {
        var sets = 1
        while sets * Self.ways < capacity { sets *= 2 }
        self.capacity = sets * Self.ways
        self.secret = secret
        setMask = UInt64(sets - 1)
        // Zero pages, which cost nothing until they are written.
        unsafe places = unsafe calloc(sets * Self.ways, MemoryLayout<Record>.stride)!
            .bindMemory(to: Record.self, capacity: sets * Self.ways)
    }

    deinit { unsafe free(places) }

    var memoryBytes: Int { capacity * MemoryLayout<Record>.stride }

    func find(_ key: Record.Key) -> UnsafeMutablePointer<Record>? {
        let set = unsafe set(key)
        for way in 0..<Self.ways where unsafe set[way].isUsed && set[way].key == key { return unsafe set + way }
        return nil
    }

    /// Puts a record of a key that is not there into the table. Returns its place, and who had to go for it.
    func insert(_ record: Record) -> (place: UnsafeMutablePointer<Record>, gone: Record?) {
        let set = unsafe set(record.key)
        var least = 0
        for way in 0..<Self.ways {
            guard unsafe set[way].isUsed else {
                unsafe set[way] = record
                return unsafe (set + way, nil)
            }
            if unsafe set[way].worth < set[least].worth { least = way }
        }
        let gone = unsafe set[least]
        unsafe set[least] = record
        evicted &+= 1
        return unsafe (set + least, gone)
    }

    /// Each record that there is, in the order of its place. `body` returns whether it stays.
    func sweep(_ body: (UnsafeMutablePointer<Record>) -> Bool) {
        for index in 0..<capacity where unsafe places[index].isUsed {
            if unsafe !body(places + index) { unsafe clear(places + index) }
        }
    }

    func remove(_ place: UnsafeMutablePointer<Record>) { unsafe clear(place) }

    private func clear(_ place: UnsafeMutablePointer<Record>) {
        unsafe UnsafeMutableRawPointer(place).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<Record>.size)
    }

    private func set(_ key: Record.Key) -> UnsafeMutablePointer<Record> {
        unsafe places + Int(Record.hash(key, secret) & setMask) * Self.ways
    }
}
