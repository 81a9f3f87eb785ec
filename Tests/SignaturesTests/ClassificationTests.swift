import Glibc
import Testing

@testable import Signatures

/// Classes of rules from files, and what a rule says for people.
@Suite struct ClassificationTests {
    /// A folder with files in it, gone at the end.
    private func withFiles(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = "/tmp/flinch-classes-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        unsafe mkdir(folder, 0o700)
        defer {
            for name in files.keys { unsafe unlink("\(folder)/\(name)") }
            unsafe rmdir(folder)
        }
        for (name, text) in files {
            let handle = unsafe try #require(fopen("\(folder)/\(name)", "w"))
            unsafe fputs(text, handle)
            unsafe fclose(handle)
        }
        try body(folder)
    }

    private static let rules = """
        alert tcp any any -> any any (classtype:of-my-own; sid:1;)
        alert tcp any any -> any any (classtype:misc-attack; sid:2;)
        """

    @Test func besideTheRules() throws {
        let classes = "# mine\nconfig classification: of-my-own,Mine, all mine,1\n"
        try withFiles(["x.rules": Self.rules, "classification.config": classes]) { folder in
            let rules = try RuleSet.load(files: ["\(folder)/x.rules"], variables: .stock(home: home))
            #expect(rules.problems == [])
            #expect(rules.rules.map(\.category) == ["Mine, all mine", "Misc Attack"])
            #expect(rules.rules.map(\.priority) == [1, 2])
        }
    }

    /// As in Suricata, where a file defines a class twice.
    @Test func theFirstOfTwoStands() throws {
        let classes = "config classification: of-my-own,First,1\nconfig classification: of-my-own,Second,2\n"
        try withFiles(["x.rules": Self.rules, "classification.config": classes]) { folder in
            let rules = try RuleSet.load(files: ["\(folder)/x.rules"], variables: .stock(home: home))
            #expect(rules.rules.map(\.category) == ["First", "Misc Attack"])
        }
    }

    @Test func chosenBeforeBeside() throws {
        let files = [
            "x.rules": Self.rules, "classification.config": "config classification: of-my-own,Beside,1\n",
            "chosen.config": "config classification: of-my-own,Chosen,4\nconfig classification: Misc-Attack,Worse,1\n",
        ]
        try withFiles(files) { folder in
            let rules = try RuleSet.load(
                files: ["\(folder)/x.rules"], classification: "\(folder)/chosen.config", variables: .stock(home: home))
            #expect(rules.rules.map(\.category) == ["Chosen", "Worse"])
            #expect(rules.rules.map(\.priority) == [4, 1])
        }
    }

    @Test(arguments: [
        "classification: a,b,1", "config classification a,b,1", "config classification: a,b",
        "config classification: a,b,0",
        "config classification: a,b,256", "config classification: ,b,1", "config reference: a,b,1",
    ])
    func badLinesAreNamed(_ line: String) throws {
        try withFiles(["x.rules": "", "classification.config": "\n\(line)\n"]) { folder in
            let rules = try RuleSet.load(files: ["\(folder)/x.rules"], variables: .stock(home: home))
            #expect(rules.problems.map(\.line) == [2])
            #expect(rules.problems.map(\.reason) == ["a class is written config classification: name,text,priority"])
        }
    }

    @Test func aChosenFileMustBeThere() throws {
        try withFiles(["x.rules": ""]) { folder in
            #expect(throws: RuleLoadError.self) {
                try RuleSet.load(
                    files: ["\(folder)/x.rules"], classification: "\(folder)/none", variables: .stock(home: home))
            }
        }
    }

    @Test func metadataAndTarget() throws {
        let rules = try compile(
            "alert tcp any any -> any any (metadata:created_at 2020_01_01, tag b c; metadata: Tag d,policy; "
                + "target:dest_ip; sid:1;)\nalert tcp any any -> any any (sid:2;)")
        #expect(rules.rules[0].metadata.map(\.key) == ["created_at", "tag"])
        #expect(rules.rules[0].metadata.map(\.values) == [["2020_01_01"], ["b c", "d"]])
        #expect(rules.rules.map(\.target) == [.destination, .unsaid])
        #expect(rules.rules[1].metadata.isEmpty)
    }
}
