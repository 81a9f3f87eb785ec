import Foundation
import Lab

/// How far the machine is ours.
enum Quiet {
    /// Says so if others use the processors now, or if the hypervisor gives them to other machines.
    static func check() throws {
        let before = try Times()
        rest(.seconds(1))
        let after = try Times()
        let total = after.total - before.total
        guard total > 0 else { return }
        let busy = 100 * (after.busy - before.busy) / total
        let stolen = 100 * (after.stolen - before.stolen) / total
        guard busy + stolen > 5 else { return }
        note(
            "not quiet: other programs take \(busy.short) %, other machines \(stolen.short) % of the processors"
        )
    }

    /// The first line of /proc/stat (proc(5)), in ticks: user nice system idle iowait irq softirq steal.
    private struct Times {
        var total: Double
        var busy: Double
        var stolen: Double

        init() throws {
            let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
            let line = text.split(separator: "\n").first ?? ""
            let fields = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
            guard fields.count == 8 else { throw LabError("/proc/stat is not as expected") }
            total = fields.reduce(0, +)
            stolen = fields[7]
            busy = total - fields[3] - fields[4] - stolen
        }
    }
}
