import Evidence
import Flows
import Testing
import Wire

@testable import Signatures

/// Patterns in a stream, wherever its segments are cut.
@Suite struct StreamMatchTests {
    /// How often a rule matches when the text comes in two segments, cut at `cut`.
    private func matches(_ options: String, _ text: String, cut: Int) throws -> Int {
        let rules = try compile("alert tcp any any -> any any (\(options) sid:1;)")
        try #require(rules.problems == [])
        var followed = try ApplicationTests.Followed(rules)
        let bytes = text.raw
        var count = 0
        count += followed.sids(.tcp(seq: 1, Array(bytes[..<cut])), rules).count
        count += followed.sids(.tcp(seq: 1 + cut, Array(bytes[cut...])), rules).count
        return count
    }

    static let rules = [
        "content:\"needle\";", "content:\"needle\"; content:\"more\"; distance:1;", "content:\"needle\"; nocase;",
        "pcre:\"/needle.+more/\";", "content:\"needle\"; pcre:\"/^ and more/R\";",
        "content:\"needle\"; isdataat:4,relative;", "content:\"needle\"; byte_test:1,=,0x72,7,relative;",
        "content:\"needle\"; byte_jump:1,1,relative,bitmask 0x01,from_beginning;", "content:\"needle\"; isdataat:30;",
        "content:\"needle\"; content:!\"hay\"; within:4;",
        "content:\"b=\"; base64_decode:relative; base64_data; content:\"needle\";",
    ]

    /// Found once, not again in the next segment and not missed between two.
    @Test(arguments: rules)
    func foundOnceWhereverItIsCut(_ options: String) throws {
        let text = "some hay, a needle and more hay, b=bmVlZGxl."
        for cut in 1..<text.utf8.count {
            #expect(try matches(options, text, cut: cut) == 1, "cut at \(cut)")
        }
    }

    /// The patterns of a match that was found come again, at a place where the rule does not want them.
    @Test(arguments: [
        "content:\"some\"; depth:4;", "content:\"some\"; startswith; content:\"hay\"; within:5;",
        "content:\"s\"; depth:1; content:\"m\"; offset:2; depth:1;",
    ])
    func notFoundAgainWhenItsPatternsComeAgain(_ options: String) throws {
        let text = "some hay, some straw and some more hay"
        for cut in 1..<text.utf8.count {
            #expect(try matches("flow:only_stream; " + options, text, cut: cut) == 1, "cut at \(cut)")
        }
    }

    /// A second match of its own is told.
    @Test func foundAgainWhereAllOfItComesAgain() throws {
        let options = "flow:only_stream; content:\"some\"; content:\"hay\"; distance:1;"
        #expect(try matches(options, "some hay, and some hay", cut: 12) == 2)
        #expect(try matches(options, "some hay, and hay again", cut: 12) == 1)
    }
}
