import Foundation

/// How much of this virtual machine's processor time the hypervisor gave to others (proc(5), /proc/stat, the
/// column "steal"). While it takes much, times and rates measured here are the hypervisor's doing.
struct StolenTime {
    private let stolen: Double
    private let total: Double

    /// Ticks of all processors since the start of the machine.
    init() {
        let text = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? ""
        let fields = text.prefix { $0 != "\n" }.split(separator: " ").dropFirst().compactMap { Double($0) }
        stolen = fields.count > 7 ? fields[7] : 0
        total = fields.prefix(8).reduce(0, +)
    }

    /// Percent of the time since `start`, 0…100.
    func share(since start: StolenTime) -> Double {
        total > start.total ? (stolen - start.stolen) / (total - start.total) * 100 : 0
    }
}
