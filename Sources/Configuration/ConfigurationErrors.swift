/// Everything that is wrong with a configuration file, in the order of its lines.
public struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        public var file: String
        /// From 1; 0 where the problem is the file and not a place in it. Columns count characters.
        public var line: Int
        public var column: Int
        /// `guests[1].addresses`; empty where the problem is not one setting's.
        public var path: String
        /// What is wrong, and what would be right.
        public var message: String

        public init(file: String, line: Int, column: Int, path: String, message: String) {
            self.file = file
            self.line = line
            self.column = column
            self.path = path
            self.message = message
        }

        /// `file:line:column: path: message`, which editors can follow.
        public var description: String {
            let place = line > 0 ? "\(file):\(line):\(column)" : file
            return path.isEmpty ? "\(place): \(message)" : "\(place): \(path): \(message)"
        }
    }

    public var problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
