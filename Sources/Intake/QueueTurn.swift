/// Which of a worker's two queues is read next: the ordinary one, and the doubtful one when nothing waits there. But what
/// is of a flood has clients in it who come for the first time: while the ordinary queue never runs dry, it has one batch
/// in five, which is a few hundredths of the packets.
struct QueueTurn {
    /// Whether packets of a flood come. Then both queues are waited for; else the doubtful one is only looked into now and
    /// then, and a packet costs nothing for it.
    private(set) var isFlooded = false
    private var ordinary = 0
    private var empty = 0

    /// Batches of the ordinary queue in a row.
    private var most: Int { isFlooded ? 4 : 16 }
    /// Times in a row that the doubtful queue was empty, after which there is no flood.
    private static let quiet = 1024

    var isDoubtfuls: Bool { ordinary >= most }

    mutating func passOrdinary() { ordinary += 1 }

    mutating func passDoubtful(wasEmpty: Bool) {
        ordinary = 0
        empty = wasEmpty ? empty + 1 : 0
        isFlooded = wasEmpty ? isFlooded && empty < QueueTurn.quiet : true
    }
}
