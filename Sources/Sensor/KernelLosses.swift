import Control
import Intake
import Offload

/// What the kernel did with diverted packets that Flinch never saw, from the kernel's own counters.
///
/// The queue counts what it drops, not what it lets pass when it is full (NFQA_CFG_F_FAIL_OPEN) or when
/// nobody is bound (bypass). Those are what is left of the packets that the diversion's rule counted once
/// those received, dropped and waiting are taken away.
struct KernelLosses {
    /// By queue number.
    private(set) var queues: [UInt16: QueueCounters] = [:]
    private(set) var passedOverload: UInt64 = 0
    /// Packets that the kernel dropped because of a flood, before they were diverted.
    private(set) var floodDropped: UInt64 = 0
    private let floodDroppedBefore: UInt64
    private let unbound: UInt64
    private let unboundPassed: Bool

    /// What was missing at the last reading.
    private var missing: UInt64 = 0
    private let failOpen: Bool
    /// The rule's counter when our queues were bound; nil when the rules are the operator's own.
    private let divertedBefore: UInt64?

    /// `divertedBefore` as read before the queues were bound; `unbound` packets were sent to them when
    /// nobody was, and passed or were dropped.
    init(
        failOpen: Bool, divertedBefore: UInt64?, floodDroppedBefore: UInt64 = 0, unbound: UInt64, unboundPassed: Bool
    ) {
        self.floodDroppedBefore = floodDroppedBefore
        self.failOpen = failOpen
        self.divertedBefore = divertedBefore
        self.unbound = unbound
        self.unboundPassed = unboundPassed
    }

    /// The rule's counter first and what was received last: a packet that moves on in between makes the
    /// remainder smaller, never greater.
    mutating func read(_ members: ArraySlice<Crew.Member>) {
        let counters = try? Diversion.counters()
        let diverted = counters?.diverted.packets
        if let now = counters?.floodDropped.packets {
            floodDropped = now >= floodDroppedBefore ? now - floodDroppedBefore : now
        }
        let all = QueueCounters.read()
        // A queue of ours is bound to our own socket; another's would be somebody else's counters.
        queues = all.filter { number, _ in
            members.contains { $0.queue?.number == number || $0.queue?.doubtful == number }
        }
        guard failOpen, let diverted else { return }
        var answered: UInt64 = 0
        for member in members { answered += member.packets + member.unreadable }
        for queue in queues.values {
            answered += UInt64(queue.waiting) + UInt64(queue.dropped) + UInt64(queue.undelivered)
        }
        account(diverted: diverted, answered: answered)
    }

    /// Packets of floods that found the queues for them full.
    func lostOfFloods(_ members: ArraySlice<Crew.Member>) -> UInt64 {
        members.compactMap { $0.queue?.doubtful.flatMap { self.queues[$0] } }
            .reduce(0) { $0 + UInt64($1.dropped) + UInt64($1.undelivered) }
    }

    /// A packet between the rule's counter and the queue, on another core, is missing for a moment; one that
    /// was passed stays so. What two readings in a row miss was passed.
    mutating func account(diverted: UInt64, answered: UInt64) {
        guard let divertedBefore else { return }
        // Rules of another backend in place of the former start to count anew.
        let sent = diverted >= divertedBefore ? diverted - divertedBefore : diverted
        let rest = sent > answered ? sent - answered : 0
        passedOverload = max(passedOverload, min(rest, missing))
        missing = rest
    }

    /// `passedFragments` is what the workers say of themselves.
    func uninspected(_ members: ArraySlice<Crew.Member>, passedFragments: UInt64) -> Status.Uninspected {
        Status.Uninspected(
            droppedQueueFull: queues.values.reduce(0) { $0 + UInt64($1.dropped) },
            droppedSocketFull: queues.values.reduce(0) { $0 + UInt64($1.undelivered) },
            passedOverload: passedOverload, passedUnbound: unboundPassed ? unbound : 0,
            droppedUnbound: unboundPassed ? 0 : unbound,
            unreadable: members.reduce(0) { $0 + $1.unreadable }, passedFragments: passedFragments)
    }
}
