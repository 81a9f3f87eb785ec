import Foundation
import Signatures

/// What goes wrong, for people: standard error, a line each, and exit status 1.
enum Complaint {
    static func say(_ line: String) {
        FileHandle.standardError.write(Data("flinch: \(line)\n".utf8))
    }

    static func report(_ problems: [RuleProblem]) {
        for problem in problems { say("\(problem.file):\(problem.line): \(problem.reason)") }
    }
}
