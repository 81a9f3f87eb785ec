import Control
import Foundation
import Glibc
import Testing

@testable import Sensor

/// Which configurations were taken over, by whom and when.
@Suite struct ConfigurationHistoryTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "flinch-history-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func start(_ folder: String, _ text: String, second: UInt64 = 1) -> ConfigurationHistory {
        ConfigurationHistory(state: folder, path: "/etc/f.yaml", text: text, time: second * 1_000_000_000)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func eachChangeIsKeptWithWhoAndWhen() throws {
        try inFolder { folder in
            let history = start(folder, "a")
            #expect(history.problem == nil)
            history.record(
                text: "b", path: "/etc/f.yaml", .init(who: "alice as root", how: "apply", comment: "why"),
                time: 2_500_000_000)
            // The same again is no change.
            history.record(text: "b", path: "/etc/f.yaml", .init(who: "bob", how: "SIGHUP"), time: 3_000_000_000)
            #expect(history.list.map(\.number) == [1, 2] && history.list.allSatisfy { $0.text == nil })
            let change = ConfigurationChange(
                number: 2, time: 2.5, who: "alice as root", how: "apply", comment: "why", path: "/etc/f.yaml",
                text: "b")
            #expect(history.running == change && history.change(2) == change)
            #expect(history.change(1)?.text == "a" && history.change(1)?.how == "start")
            #expect(history.change(3) == nil && history.change(-1) == nil)
            #expect(mode(folder + "/history") == 0o700 && mode(folder + "/history/2.json") == 0o600)
        }
    }

    @Test func aRestartGoesOn() throws {
        try inFolder { folder in
            _ = start(folder, "a")
            #expect(start(folder, "a", second: 9).list.map(\.time) == [1])
            let edited = start(folder, "b", second: 10)
            #expect(edited.list.map(\.how) == ["start", "start"] && edited.running.number == 2)
            // What cannot be read is passed over.
            try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/history/1.json"))
            #expect(start(folder, "b").list.map(\.number) == [2])
        }
    }

    @Test func theNewestAreKept() throws {
        try inFolder { folder in
            let history = start(folder, "0")
            let all = ConfigurationHistory.kept + 5
            for number in 1..<all {
                history.record(text: "\(number)", path: "/etc/f.yaml", .init(how: "apply"), time: 0)
            }
            #expect(history.list.count == ConfigurationHistory.kept && history.list.last?.number == all)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/history")
            #expect(files.count == ConfigurationHistory.kept && !files.contains("5.json") && files.contains("6.json"))
            #expect(start(folder, "\(all - 1)").list == history.list)
        }
    }

    @Test func withoutAFolderThereIsWhatRuns() {
        let history = start("/proc/nowhere", "a")
        #expect(history.problem?.contains("/proc/nowhere") == true)
        #expect(history.running.text == "a" && history.change(1)?.text == "a")
    }

    @Test func oneReloadAtATime() {
        let desk = ReloadDesk()
        #expect(desk.place(.init(how: "apply")) == 0)
        #expect(desk.place(.init(how: "apply")) == nil)
        #expect(desk.take()?.how == "apply" && desk.take() == nil)
        #expect(desk.place(.init(how: "apply")) == nil)
        desk.finish(problem: "wrong", number: 7)
        #expect(desk.outcome == ReloadOutcome(finished: 1, problem: "wrong", number: 7))
        #expect(desk.place(.init(how: "apply")) == 1)
    }
}
