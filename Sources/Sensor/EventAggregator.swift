import Events
import Evidence
import Wire

/// Gathers what would be said again and again into one event: of a rule or check, two hosts and a verdict, or of
/// all that a rule says beyond its allowance.
///
/// What goes on and on is told of after one period, two more, four more and so on, up to `longest`: an hour of one
/// finding is a dozen events. It is over when a period brought nothing.
///
/// Records are a ring in the order in which they are to be looked at again. All wait for the same period, so the oldest
/// is the next; one that stays open moves to the other end. The oldest goes before its time when a new one needs its
/// place. A record that gathered anything is told of as it goes: nothing that is held back here is lost.
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
        /// When its period began: nanoseconds on the packets' clock.
        var opened: UInt64
        /// Periods from one event to the next, and those that have passed since the last.
        var wait: UInt16 = 1
        var waited: UInt16 = 0
        /// Whether this period brought anything.
        var isBusy = false
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
    /// Periods that an event is waited for at most.
    static let longest: UInt16 = 64
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
                unsafe record.pointee.isBusy = true
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
        var record = Record(subject: subject, opened: time, next: 0, event: event)
        record.event.summary = EventSummary(scope: subject.scope)
        if counting { record.event.summary.add(time) }
        append(record)
    }

    /// Looks at the records whose period of `period` nanoseconds is over, tells of what is due, and closes those that
    /// nothing came for.
    mutating func settle(_ time: UInt64, period: UInt64, into ring: inout EventRing.Writer) {
        // Each at most once, whatever the clock says.
        let last = end
        while start != last {
            // A clock that was set back makes it due.
            guard unsafe time &- record(start).pointee.opened >= period else { return }
            guard unsafe record(start).pointee.isBusy else {
                close(into: &ring)
                continue
            }
            var record = unsafe record(start).pointee
            removeOldest()
            record.opened = time
            record.isBusy = false
            record.waited += 1
            if record.waited == record.wait {
                tell(&record, into: &ring)
                record.wait = min(record.wait * 2, EventAggregator.longest)
                record.waited = 0
            }
            append(record)
        }
    }

    /// Closes all records.
    mutating func closeAll(into ring: inout EventRing.Writer) {
        while start != end { close(into: &ring) }
    }

    /// Closes the oldest record.
    private mutating func close(into ring: inout EventRing.Writer) {
        unsafe tell(&record(start).pointee, into: &ring)
        removeOldest()
    }

    /// Tells of what a record gathered since it was told of last, if anything.
    private func tell(_ record: inout Record, into ring: inout EventRing.Writer) {
        guard record.event.summary.count > 0 else { return }
        record.event.arrival.time = record.event.summary.last
        ring.append(record.event)
        record.event.summary = EventSummary(scope: record.subject.scope)
    }

    private mutating func append(_ record: Record) {
        let bucket = bucket(of: record.subject)
        let place = unsafe self.record(end)
        unsafe place.initialize(to: record)
        unsafe place.pointee.next = unsafe buckets[bucket]
        unsafe buckets[bucket] = end
        end += 1
    }

    private mutating func removeOldest() {
        // The oldest of all is the last of its bucket.
        let bucket = unsafe bucket(of: record(start).pointee.subject)
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
