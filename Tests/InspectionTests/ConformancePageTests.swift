import Conformance
import Foundation
import Sensor
import Testing

/// `docs/conformance.md` is what `flinch policy checks --page` writes.
@Suite struct ConformancePageTests {
    static let path = Files.root + "/docs/conformance.md"

    private func page() throws -> ConformancePage {
        ConformancePage(try String(contentsOfFile: ConformancePageTests.path, encoding: .utf8))
    }

    @Test func theReferenceIsTheTable() throws {
        let written = try page()
        var updated = written
        updated.updateChecks()
        #expect(updated.text == written.text, "flinch policy checks --page docs/conformance.md")
        #expect(Checks.all.allSatisfy { written.text.contains("| `\($0.identifier)` | \($0.text) |") })
    }

    /// Every finding on the captures is on the page, counted and explained by a person.
    @Test(.enabled(if: Files.shared != nil), arguments: ConformancePage.folders)
    func whatCapturesShowIsReviewed(_ folder: String) throws {
        let captures = Files.captures(folder)
        try #require(captures.count > 300)
        let review = try ConformanceReview(captures: captures)
        let written = try page()
        var updated = written
        updated.update(folder, review)
        #expect(updated.text == written.text, "flinch policy checks --page … --captures ../shared/captures")
        #expect(!written.text.contains(ConformancePage.unexplained))
        #expect(review.found > 0 && review.packets > 3000)
        // Ordinary traffic is not what alarms are for.
        if folder == "protocols" { #expect(review.high * 1000 <= review.packets) }
    }
}
