import Foundation
import Testing

@testable import Signatures

@Suite struct PatternCacheTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "flinch-cache-\(UUID())").path
    private let text = """
        alert tcp any any -> any 80 (content:"needle"; sid:1;)
        alert tcp any any -> any 25 (content:"THREAD"; nocase; sid:2;)

        """

    private func load(_ text: String? = nil) throws -> RuleSet {
        let file = "\(folder)/test.rules"
        try (text ?? self.text).write(toFile: file, atomically: true, encoding: .utf8)
        return try RuleSet.load(
            files: [file], variables: .stock(home: []), cache: PatternCache(directory: folder))
    }

    private var cached: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".patterns") }.sorted()
        }
    }

    private func inFolder(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body()
    }

    private func finds(_ rules: RuleSet) throws -> [[UInt32]] {
        try [("a needle", UInt16(80)), ("a Thread", 25), ("a needle", 25)].map {
            try rules.alerts(.tcp(40_000, $0.1, $0.0))
        }
    }

    @Test func whatWasKeptFindsTheSame() throws {
        try inFolder {
            let first = try load()
            let names = try cached
            #expect(names.count == 1 && first.cacheProblem == nil)
            let second = try load()
            #expect(try finds(first) == [[1], [2], []])
            #expect(try finds(second) == [[1], [2], []])
            #expect(try cached == names)
        }
    }

    /// A changed rule has another key; a damaged, short or foreign file is compiled anew and replaced.
    @Test(arguments: ["cut", "damaged", "empty", "foreign", "loose"])
    func doesNotBelieveABadFile(_ kind: String) throws {
        try inFolder {
            _ = try load()
            let path = "\(folder)/\(try cached[0])"
            let good = try Data(contentsOf: URL(fileURLWithPath: path))
            var bad = good
            switch kind {
            case "cut": bad = good.prefix(good.count / 2)
            case "damaged": bad[good.count - 9] ^= 0xFF
            case "empty": bad = Data()
            case "foreign": bad[8 + 8 + 2] ^= 1
            default: break
            }
            try bad.write(to: URL(fileURLWithPath: path))
            if kind == "loose" {
                try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
            }
            #expect(try finds(load()) == [[1], [2], []])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == good)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func keepsTheNewest() throws {
        try inFolder {
            for number in 1...PatternCache.kept + 3 {
                _ = try load("alert tcp any any -> any any (content:\"text \(number)\"; sid:1;)\n")
            }
            #expect(try cached.count == PatternCache.kept)
        }
    }

    @Test func aFolderThatIsNotThereIsSaid() throws {
        try inFolder {
            let file = "\(folder)/test.rules"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let rules = try RuleSet.load(
                files: [file], variables: .stock(home: []), cache: PatternCache(directory: "\(folder)/none"))
            #expect(rules.cacheProblem?.contains("No such file or directory") == true)
            #expect(try finds(rules) == [[1], [2], []])
        }
    }
}
