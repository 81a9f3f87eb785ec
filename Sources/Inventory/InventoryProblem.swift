/// Why a file of a platform, or a part of it, could not be used.
public struct InventoryProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public var file: String
    /// From 1; 0 for the whole file.
    public var line: Int
    public var message: String

    init(file: String = "", line: Int, _ message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    public var description: String { line > 0 ? "\(file):\(line): \(message)" : "\(file): \(message)" }
}
