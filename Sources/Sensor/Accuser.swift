import Evidence
import Inspection
import Wire

/// Who attacked, by a rule that would have dropped the packet.
struct Accusation: BitwiseCopyable, Sendable {
    var source: Address
    /// The rule's number in the program of that generation.
    var rule: UInt32
    var generation: UInt32
}

/// Says on behalf of a worker of the mirror who is to be denied. Whether anybody is, others decide.
struct Accuser: ~Copyable {
    private var accusations: Ring<Accusation>.Writer
    /// Who attacks attacks on: the last one is not named again before this time.
    private var last = Address.none
    private var again: UInt64 = 0

    /// Accusations that wait at most; they are taken ten times a second.
    static let capacity = 256
    private static let pause: UInt64 = 1_000_000_000

    init(_ accusations: consuming Ring<Accusation>.Writer) { self.accusations = accusations }

    /// `time`: the packets' clock.
    @inline(never)
    mutating func accuse(_ inspector: borrowing Inspector, _ time: UInt64) {
        guard let source = inspector.accusable, source != last || time >= again else { return }
        (last, again) = (source, time &+ Accuser.pause)
        for index in 0..<inspector.findings.count where inspector.findings[index].asks == .drop {
            let rule = inspector.findings[index].code
            accusations.append(Accusation(source: source, rule: rule, generation: inspector.generation))
            return
        }
    }
}
