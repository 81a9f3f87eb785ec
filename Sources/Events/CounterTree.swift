/// Counters named by paths ("decoder.pkts"), as the nested objects of a `stats` event. Sorted, so that
/// two lines can be compared by eye.
struct CounterTree {
    private var values: [String: UInt64] = [:]
    private var branches: [String: CounterTree] = [:]

    init(_ counters: [String: UInt64]) {
        // Sorted: "a" comes before "a.b", which then cannot be a branch and keeps its whole name.
        for (path, value) in counters.sorted(by: { $0.key < $1.key }) {
            let parts = path.split(separator: ".").map(String.init)
            if !insert(parts[...], value) { values[path] = value }
        }
    }

    private init() {}

    /// False where a value stands in the way, or the path names nothing.
    private mutating func insert(_ path: ArraySlice<String>, _ value: UInt64) -> Bool {
        guard let first = path.first, values[first] == nil else { return false }
        guard path.count > 1 else {
            guard branches[first] == nil else { return false }
            values[first] = value
            return true
        }
        return branches[first, default: CounterTree()].insert(path.dropFirst(), value)
    }

    func write(to line: inout JSONLine) {
        for name in (Array(values.keys) + branches.keys).sorted() {
            line.key(text: name)
            if let value = values[name] {
                line.value(value)
            } else {
                line.openObject()
                branches[name]?.write(to: &line)
                line.closeObject()
            }
        }
    }
}
