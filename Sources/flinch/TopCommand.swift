import ArgumentParser
import Control
import Foundation

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch the sensor: guests, rates, floods, verdicts, losses.",
        discussion: "Ends with Ctrl-C. Where standard output is no terminal it prints page after page.")

    @OptionGroup var sensor: SensorOptions
    @Option(help: "Seconds between two looks.")
    var interval = 1.0
    @Option(help: "End after so many looks.")
    var count: Int?

    func validate() throws {
        guard interval >= 0.1, interval <= 3600 else {
            throw ValidationError("--interval takes seconds from 0.1 to 3600")
        }
    }

    func run() throws {
        let terminal = isatty(STDOUT_FILENO) == 1
        var looks = 0
        if terminal { Screen.enter() }
        defer { if terminal { Screen.leave() } }
        while count.map({ looks < $0 }) ?? true {
            let page = page(terminal: terminal)
            if terminal { Screen.show(page) } else { print(page + "\n") }
            looks += 1
            if looks == count { break }
            Foundation.Thread.sleep(forTimeInterval: interval)
        }
    }

    /// A sensor that is restarted is waited for.
    private func page(terminal: Bool) -> String {
        do {
            let status = try sensor.status().status
            let others = 8 + status.floods.count + min(10, status.behaviour.open.count)
            return StatusPage(status, style: .ofStandardOutput)
                .text(width: Terminal.width, guests: terminal ? max(3, Terminal.height - others - 2) : .max)
        } catch {
            return "\(error)"
        }
    }
}

/// The terminal's alternate screen, left again however the program ends.
private enum Screen {
    static func enter() {
        // Only async-signal-safe calls in the handler.
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                let leave: StaticString = "\u{1B}[?25h\u{1B}[?1049l"
                unsafe _ = write(STDOUT_FILENO, leave.utf8Start, leave.utf8CodeUnitCount)
                _exit(0)
            }
        }
        put("\u{1B}[?1049h\u{1B}[?25l")
    }

    static func leave() { put("\u{1B}[?25h\u{1B}[?1049l") }

    static func show(_ page: String) {
        // Line by line to the end of each, then below: no flicker.
        let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
        put("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    private static func put(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
