import Synchronization
import Wire

/// What is being written of flows and hosts, because a rule with a `tag` matched there. Fixed in size; shared by
/// the workers of a sensor, since the flows of a host meet all of them.
///
/// A flow or host has one set of records, one for each rule that tagged it; when the set is full, what was idle
/// for longest goes, and is counted. As in `ThresholdTable` nothing waits for anything.
@safe
public final class TagTable: Sendable {
    /// 64 bytes.
    fileprivate struct Record: ~Copyable {
        /// Whose it is, a `HostKey`; 0 while it is free, or changes hands.
        let owner = Atomic<UInt64>(0)
        let rule = Atomic<UInt64>(0)
        /// Nanoseconds since the Unix epoch, of the match and of the last packet.
        let first = Atomic<UInt64>(0)
        let last = Atomic<UInt64>(0)
        let bytes = Atomic<UInt64>(0)
        let packets = Atomic<UInt32>(0)
        /// How often the rule matched again.
        let renewals = Atomic<UInt32>(0)
        /// The rule's bounds, 0 for none.
        let mostPackets = Atomic<UInt32>(0)
        let mostBytes = Atomic<UInt32>(0)
        let mostSeconds = Atomic<UInt32>(0)
    }

    /// A rule that matches again begins anew, but not more often than this (DETECT_TAG_MATCH_LIMIT).
    private static let mostRenewals: UInt32 = 10
    /// Nanoseconds without a packet after which a tag is over (TAG_MAX_LAST_TIME_SEEN).
    fileprivate static let patience: UInt64 = 600_000_000_000

    private let sets: HostSets<Record>
    /// No tag lives later than this.
    private let end = Atomic<UInt64>(0)

    /// Room for at least `capacity` tags.
    public init(capacity: Int, seed: UInt64 = .random(in: .min ... .max)) {
        sets = HostSets(capacity: capacity, seed: seed) { Record() }
    }

    public var memoryBytes: Int { sets.memoryBytes }
    /// Tags that had to go before they were over.
    public var evicted: UInt64 { sets.evicted }

    /// Whether there may be a tag. Most of the time there is none, and this is all that a packet costs.
    @inline(__always)
    func isInUse(_ time: UInt64) -> Bool { time <= end.load(ordering: .relaxed) }

    func key(ofHost address: Address) -> HostKey { HostKey(1, address, secret: sets.secret) }
    func key(ofFlow identity: UInt64) -> HostKey { HostKey(0, secret: sets.secret).part(identity) }

    // MARK: - What the matcher does

    /// A rule matched: what follows is to be written.
    func add(_ tag: CompiledTag, _ owner: HostKey, time: UInt64) {
        let set = unsafe sets[owner]
        var best = 0
        var bestRank = UInt64.max
        for way in 0..<HostSets<Record>.ways {
            let record = unsafe set + way
            let other = unsafe record.pointee.owner.load(ordering: .acquiring)
            if other == owner.hash, unsafe record.pointee.rule.load(ordering: .relaxed) == tag.rule {
                unsafe record.pointee.renew(time, atMost: TagTable.mostRenewals)
                return
            }
            let last = unsafe record.pointee.last.load(ordering: .relaxed)
            let rank = other == 0 || time > last &+ TagTable.patience ? 0 : last
            if rank < bestRank { (best, bestRank) = (way, rank) }
        }
        if bestRank != 0 { sets.evict() }
        let record = unsafe set + best
        unsafe record.pointee.begin(tag, owner, time)
        extend(time)
    }

    /// A packet of a flow or host, of `bytes` on the wire: whether one of its tags has it written. The packet
    /// that set the tag is counted, but it has its alert.
    func account(_ owner: HostKey, bytes: UInt64, time: UInt64) -> Bool {
        let set = unsafe sets[owner]
        var isWritten = false
        for way in 0..<HostSets<Record>.ways {
            let record = unsafe set + way
            guard unsafe record.pointee.owner.load(ordering: .acquiring) == owner.hash else { continue }
            if unsafe record.pointee.takes(bytes, time) { isWritten = true }
            extend(time)
        }
        return isWritten
    }

    /// To the time at which a tag that sees no packet any more is over.
    private func extend(_ time: UInt64) {
        let last = time &+ TagTable.patience
        if last > end.load(ordering: .relaxed) { end.store(last, ordering: .relaxed) }
    }
}

extension TagTable.Record {
    fileprivate func begin(_ tag: CompiledTag, _ key: HostKey, _ time: UInt64) {
        owner.store(0, ordering: .relaxed)
        rule.store(tag.rule, ordering: .relaxed)
        first.store(time, ordering: .relaxed)
        last.store(time, ordering: .relaxed)
        bytes.store(0, ordering: .relaxed)
        packets.store(0, ordering: .relaxed)
        renewals.store(0, ordering: .relaxed)
        mostPackets.store(tag.tag.packets, ordering: .relaxed)
        mostBytes.store(tag.tag.bytes, ordering: .relaxed)
        mostSeconds.store(tag.tag.seconds, ordering: .relaxed)
        owner.store(key.hash, ordering: .releasing)
    }

    fileprivate func renew(_ time: UInt64, atMost limit: UInt32) {
        guard renewals.wrappingAdd(1, ordering: .relaxed).newValue < limit else { return }
        first.store(time, ordering: .relaxed)
        bytes.store(0, ordering: .relaxed)
        packets.store(0, ordering: .relaxed)
    }

    /// Counts a packet; whether it is to be written. The tag that is over is free then.
    fileprivate func takes(_ size: UInt64, _ time: UInt64) -> Bool {
        let isFirst = packets.load(ordering: .relaxed) == 0 && renewals.load(ordering: .relaxed) == 0
        let began = first.load(ordering: .relaxed) / 1_000_000_000
        let isIdle = time > last.exchange(time, ordering: .relaxed) &+ TagTable.patience
        let packets = packets.wrappingAdd(1, ordering: .relaxed).newValue
        let bytes = bytes.wrappingAdd(size, ordering: .relaxed).newValue
        if isFirst { return false }
        let isOver =
            isIdle || TagTable.Record.exceeds(UInt64(packets), mostPackets)
            || TagTable.Record.exceeds(bytes, mostBytes)
            || TagTable.Record.exceeds(time / 1_000_000_000 &- began, mostSeconds)
        if isOver { owner.store(0, ordering: .releasing) }
        return !isOver
    }

    private static func exceeds(_ count: UInt64, _ bound: borrowing Atomic<UInt32>) -> Bool {
        let bound = bound.load(ordering: .relaxed)
        return bound != 0 && count > UInt64(bound)
    }
}
