import Sketches
import Evidence

/// How often SYNs of each shape came from strangers, and from sources that have proved themselves, at classes that
/// are attacked; in fixed space, for all workers. It is how the bulk of a flood is told from a client that comes for
/// the first time, before either has proved anything: one that is made like most of the flood, and like hardly any
/// client, has to wait.
///
/// A shape has one of 4,096 cells by its hash, and is counted with its window and without: a flood may draw that at
/// random. A cell is what shape came last (0: none), the two counts, and whether the controller calls it hostile.
/// A shape that shares its cell with another is judged together with it.
struct RequestShapes: ~Copyable, Sendable {
    static var cells: Int { 1 << 12 }
    private static var wordsPerCell: Int { 4 }
    private let words = AtomicWords(count: cells * wordsPerCell)

    var memoryBytes: Int { words.memoryBytes }

    /// Where the two cells of a SYN begin. `length` is that of the IP packet.
    struct Place: BitwiseCopyable {
        fileprivate var exact: Int
        fileprivate var any: Int
        fileprivate var exactKey: UInt64
        fileprivate var anyKey: UInt64
    }

    @inline(__always)
    static func place(isV4: Bool, length: UInt32, window: UInt16) -> Place {
        let any = key(isV4: isV4, length: length)
        let exact = any | 1 << 40 | UInt64(window)
        return Place(exact: cell(exact), any: cell(any), exactKey: exact, anyKey: any)
    }

    @inline(__always)
    func isHostile(_ place: Place) -> Bool { words[place.exact &+ 3] | words[place.any &+ 3] != 0 }

    @inline(__always)
    func count(_ place: Place, isProved: Bool) {
        let offset = isProved ? 2 : 1
        // Most SYNs of a flood find their key there.
        if words[place.exact] != place.exactKey { words[place.exact] = place.exactKey }
        if words[place.any] != place.anyKey { words[place.any] = place.anyKey }
        words[place.exact &+ offset] = words[place.exact &+ offset] &+ 1
        words[place.any &+ offset] = words[place.any &+ offset] &+ 1
    }

    // MARK: - The controller's

    struct Cell {
        var shape: RequestShape
        var strangers: UInt64
        var proved: UInt64
    }

    subscript(cell: Int) -> Cell? {
        let base = cell * RequestShapes.wordsPerCell
        let key = words[base]
        guard key != 0 else { return nil }
        let shape = RequestShape(
            isV4: key & 1 << 41 != 0, length: UInt16(truncatingIfNeeded: key >> 16),
            window: key & 1 << 40 != 0 ? UInt16(truncatingIfNeeded: key) : nil)
        return Cell(shape: shape, strangers: words[base + 1], proved: words[base + 2])
    }

    func setHostile(_ cell: Int, _ isHostile: Bool) {
        let word = cell * RequestShapes.wordsPerCell + 3
        if (words[word] != 0) != isHostile { words[word] = isHostile ? 1 : 0 }
    }

    /// Never 0, which is an empty cell.
    private static func key(isV4: Bool, length: UInt32) -> UInt64 {
        1 << 42 | (isV4 ? 1 << 41 : 0) | UInt64(length & 0xFFFF) << 16
    }

    private static func cell(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 52) &* wordsPerCell
    }
}

/// Which shapes the controller calls hostile: of strangers many, of those who proved themselves next to none.
struct HostileShapes: Sendable {
    private var strangers = [UInt64](repeating: 0, count: RequestShapes.cells)
    private var proved = [UInt64](repeating: 0, count: RequestShapes.cells)
    /// What clients looked like, of late: half of it is forgotten in two hours.
    private var clients = [Double](repeating: 0, count: RequestShapes.cells)
    private var hostile: Set<Int> = []
    private(set) var shapes: [RequestShape] = []

    static var memoryBytes: Int { 3 * RequestShapes.cells * 8 }

    /// In a step, the least number of strangers that makes a shape one of the flood's, and their least share. What
    /// is below a thousand a second can all be asked for proof.
    private static let least: UInt64 = 100
    private static let share = 0.05
    /// With fewer clients it is not known what they look like; and at most this share of them looks like a shape
    /// that is hostile.
    private static let leastClients = 8.0
    private static let clientShare = 0.01
    /// A second.
    private static let memory = 0.9999

    /// Once a step of an attack, and once a second without one.
    mutating func update(_ table: borrowing RequestShapes, isAttacked: Bool, isWholeSecond: Bool) {
        var fresh: [(cell: Int, shape: RequestShape, arrived: UInt64)] = []
        var (allArrived, allClients): (UInt64, Double) = (0, 0)
        for index in 0..<RequestShapes.cells {
            guard let cell = table[index] else { continue }
            let arrived = cell.strangers &- strangers[index]
            clients[index] += Double(cell.proved &- proved[index])
            if isWholeSecond { clients[index] *= HostileShapes.memory }
            (strangers[index], proved[index]) = (cell.strangers, cell.proved)
            // With its window and without, each SYN is counted twice.
            if cell.shape.window == nil {
                allArrived &+= arrived
                allClients += clients[index]
            }
            fresh.append((index, cell.shape, arrived))
        }
        guard isAttacked else { return forget(table) }
        guard allClients >= HostileShapes.leastClients else { return }
        shapes = []
        for (cell, shape, arrived) in fresh {
            if clients[cell] > HostileShapes.clientShare * allClients {
                hostile.remove(cell)
            } else if arrived >= HostileShapes.least, Double(arrived) >= HostileShapes.share * Double(allArrived) {
                // Few of them come up from then on: what was once hostile stays so while the attack lasts.
                hostile.insert(cell)
            }
            table.setHostile(cell, hostile.contains(cell))
            if hostile.contains(cell) { shapes.append(shape) }
        }
        // A length that is hostile with any window need not be told with each.
        let lengths = Set(shapes.filter { $0.window == nil })
        shapes = shapes.filter { shape in
            shape.window == nil
                || !lengths.contains(RequestShape(isV4: shape.isV4, length: shape.length, window: nil))
        }
    }

    private mutating func forget(_ table: borrowing RequestShapes) {
        for cell in hostile { table.setHostile(cell, false) }
        hostile = []
        shapes = []
    }
}
