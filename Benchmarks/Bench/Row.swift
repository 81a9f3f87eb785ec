import Foundation

/// One line of the result.
struct Row {
    var name: String
    var value: Double
    var unit: String
    /// The same figure of what Flinch is compared with, where there is such a thing.
    var baseline: Double?

    var ratio: Double? { baseline.flatMap { $0 > 0 ? value / $0 : nil } }

    /// `{"name":…,"value":…,"unit":…,"baseline":…,"ratio":…}`. Names and units are our own: nothing in
    /// them needs escaping.
    var json: String {
        let baseline = baseline.map(\.short) ?? "null"
        let ratio = ratio.map { String(format: "%.3f", $0) } ?? "null"
        return #"{"name":"\#(name)","value":\#(value.short),"unit":"\#(unit)","#
            + #""baseline":\#(baseline),"ratio":\#(ratio)}"#
    }
}

extension Double {
    /// Four digits, which is more than any of these measurements has.
    var short: String {
        guard self != 0, isFinite else { return "0" }
        let decimals = max(0, 3 - Int(log10(abs(self)).rounded(.down)))
        return String(format: "%.\(decimals)f", self)
    }
}

extension [Double] {
    /// 0 for none.
    var median: Double {
        guard !isEmpty else { return 0 }
        let ordered = sorted()
        let middle = count / 2
        return count % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
    }
}

/// For people, while it runs: standard output is for the rows alone.
func note(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
