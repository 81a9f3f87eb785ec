/// What stands in the way of the packets.
enum Contender: String, CaseIterable {
    /// The bridge alone.
    case none
    /// The C loop that accepts everything: the least that an NFQUEUE filter can cost.
    case floor
    /// The sensor with everything on.
    case flinch
    /// The sensor whose events go nowhere, and the one whose events go everywhere.
    case mute, sinks
    /// Who only listens: a C loop that counts, and the sensor.
    case ring, mirror
    /// The C loop once more, where Flinch would be: how far from 1 a ratio is by chance.
    case control

    var hasQueue: Bool { ![.none, .ring, .mirror].contains(self) }

    static let all: Set<Contender> = [.none, .floor, .flinch, .control]
    static let withQueue: Set<Contender> = [.floor, .flinch, .control]
}

/// A benchmark whose answer was wrong: packets that did not arrive, or passed unseen. Its time means nothing.
struct WrongAnswer: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
