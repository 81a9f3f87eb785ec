import Events
import Evidence
import Wire

/// Gathers what would be said again and again into one event: of a rule or check, two hosts and a verdict, or of
/// all that a rule says beyond its allowance.
///
/// Records are a ring in the order in which they were opened. All stay open for the same period, so the oldest is
/// the next to be closed; it goes before its time when a new one needs its place. A record that gathered anything
/// is told of as it goes: nothing that is held back here is lost.
@safe
struct EventAggregator: ~Copyable {
    /// What findings have in common that are gathered in one record.
    struct Subject: BitwiseCopyable, Equatable {
        var source = Address.none
        var destination = Address.none
        var code: UInt32
        var generation: UInt32
        var kind: Finding.Source
        var verdict: Verdict
        var scope: EventSummary.Scope

        /// All that its rule or check says, whoever the hosts are.
        var ofRule: Subject {
            var other = self
            other.source = .none
            other.destination = .none
            other.scope = .rule
            return other
        }

        static func == (a: Subject, b: Subject) -> Bool {
            a.code == b.code && a.source == b.source && a.destination == b.destination && a.scope == b.scope
                && a.generation == b.generation && a.kind == b.kind && a.verdict == b.verdict
        }
    }

    private struct Record {
        var subject: Subject
        /// Nanoseconds on the packets' clock.
        var opened: UInt64
        /// The next older record of the same bucket, counted as `end` is; 0 for none.
        var next: UInt64
        /// What it was opened for, and a summary of what was gathered.
        var event: Event
    }

    /// Records, a power of two.
    private let capacity: UInt64
    private let records: UnsafeMutablePointer<Record>
    /// The newest record of each bucket; 0 for none.
    private let buckets: UnsafeMutablePointer<UInt64>
    private let secret: SecretHash
    /// Records are numbered from 1 in the order of their opening; those from `start` up to `end` are open.
    private var start: UInt64 = 1
    private var end: UInt64 = 1

    static let standardCapacity = 4096
    static var memoryBytes: Int {
        standardCapacity * (MemoryLayout<Record>.stride + MemoryLayout<UInt64>.stride)
    }

    init(capacity: Int = EventAggregator.standardCapacity, seed: UInt64 = .random(in: .min ... .max)) {
        precondition(capacity > 0 && capacity.nonzeroBitCount == 1)
        self.capacity = UInt64(capacity)
        secret = SecretHash(seed: seed)
        unsafe records = .allocate(capacity: capacity)
        unsafe buckets = .allocate(capacity: capacity)
        unsafe buckets.initialize(repeating: 0, count: capacity)
    }

    deinit {
        unsafe records.deallocate()
        unsafe buckets.deallocate()
    }

    /// Records that are open.
    var count: Int { Int(end - start) }

    /// Counts a finding that a record is open for, which is then held back. False if none is.
    mutating func gather(_ subject: Subject, _ time: UInt64) -> Bool {
        var number = unsafe buckets[bucket(of: subject)]
        while number != 0 {
            let record = unsafe record(number)
            if unsafe record.pointee.subject == subject {
                unsafe record.pointee.event.summary.add(time)
                return true
            }
            number = unsafe record.pointee.next
        }
        return false
    }

    /// Holds back what comes of this subject from now on, and with `counting` the finding of `event` as well.
    /// What is told in the end has the packet of `event`.
    mutating func open(
        _ subject: Subject, _ time: UInt64, _ event: Event, counting: Bool = false, into ring: inout EventRing.Writer
    ) {
        if end - start == capacity { close(into: &ring) }
        let bucket = bucket(of: subject)
        let record = unsafe record(end)
        unsafe record.initialize(
            to: Record(subject: subject, opened: time, next: buckets[bucket], event: event))
        unsafe record.pointee.event.summary = EventSummary(scope: subject.scope)
        if counting { unsafe record.pointee.event.summary.add(time) }
        unsafe buckets[bucket] = end
        end += 1
    }

    /// Closes the records that have been open for `period` nanoseconds, and tells of what they gathered.
    mutating func settle(_ time: UInt64, period: UInt64, into ring: inout EventRing.Writer) {
        while start != end {
            // A clock that was set back makes it due.
            guard unsafe time &- record(start).pointee.opened >= period else { return }
            close(into: &ring)
        }
    }

    /// Closes all records.
    mutating func closeAll(into ring: inout EventRing.Writer) {
        while start != end { close(into: &ring) }
    }

    /// Closes the oldest record.
    private mutating func close(into ring: inout EventRing.Writer) {
        let record = unsafe record(start)
        if unsafe record.pointee.event.summary.count > 0 {
            unsafe record.pointee.event.arrival.time = unsafe record.pointee.event.summary.last
            ring.append(unsafe record.pointee.event)
        }
        // The oldest of all is the last of its bucket.
        let bucket = unsafe bucket(of: record.pointee.subject)
        var number = unsafe buckets[bucket]
        if number == start {
            unsafe buckets[bucket] = 0
        } else {
            while unsafe self.record(number).pointee.next != start { number = unsafe self.record(number).pointee.next }
            unsafe self.record(number).pointee.next = 0
        }
        start += 1
    }

    private func record(_ number: UInt64) -> UnsafeMutablePointer<Record> {
        unsafe records + Int(number & (capacity - 1))
    }

    /// Keyed, because the addresses are the attacker's to choose.
    private func bucket(of subject: Subject) -> Int {
        let ends = secret.hash(secret.hash(subject.source), and: secret.hash(subject.destination))
        return Int(
            secret.hash(ends, and: UInt64(subject.code) << 8 ^ UInt64(subject.verdict.rawValue)) & (capacity - 1))
    }
}

extension EventSummary {
    fileprivate mutating func add(_ time: UInt64) {
        if count == 0 { first = time }
        if count < .max { count += 1 }
        last = time
    }
}
