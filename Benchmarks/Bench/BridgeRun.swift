import Foundation
import Lab

/// The measurements on the bridge. Contenders take turns at each, every one freshly started, so that they
/// are compared within seconds of each other: what else the machine does changes over minutes.
struct BridgeRun {
    let contenders: [Contender]
    /// Starts of each contender.
    let starts: Int
    let measurements: [Measurement]
    let tools: Binaries

    /// A wrong answer is measured again so many times before it counts: the machine may have been busy.
    private static let attempts = 3

    typealias Samples = [Figure: [Contender: [Double]]]

    func samples() throws -> Samples {
        try Requirements.root()
        try tools.check(contenders)
        var samples: Samples = [:]
        for start in 0..<starts {
            let lab = try Stand.buildLab()
            defer { lab.stop() }
            try lab.write(BenchConfiguration.yaml(for: lab, rules: tools.rules), to: Stand.configurationName)
            for measurement in measurements {
                let able = contenders.filter(measurement.contenders.contains)
                // A different one goes first each time.
                for turn in able.indices {
                    let contender = able[(start + turn) % able.count]
                    let values = try measure(measurement, contender, in: lab)
                    var found: [String] = []
                    for figure in measurement.figures {
                        guard let value = values[figure] else { continue }
                        samples[figure, default: [:]][contender, default: []].append(value)
                        found.append("\(figure.rawValue) \(value.short) \(figure.unit)")
                    }
                    note("\(start + 1)/\(starts) \(contender.rawValue): \(found.joined(separator: ", "))")
                }
            }
        }
        return samples
    }

    private func measure(
        _ measurement: Measurement, _ contender: Contender, in lab: Lab
    ) throws -> [Figure: Double] {
        var attempt = 1
        while true {
            let stand = try Stand(contender, in: lab, tools: tools, counting: measurement.counting)
            defer { stand.stop() }
            do {
                return try measurement.run(stand)
            } catch let wrong as WrongAnswer {
                let what = "\(contender.rawValue), \(measurement.figures[0].rawValue): \(wrong)"
                guard attempt < Self.attempts else { throw WrongAnswer(what) }
                note("\(what); once more")
                attempt += 1
            }
        }
    }

    /// A row for each figure that both were measured on, and one for the bridge alone where it has it.
    func rows(_ samples: Samples) -> [Row] {
        let subject = contenders.last ?? .flinch
        var rows: [Row] = []
        for figure in Figure.allCases {
            guard let values = samples[figure] else { continue }
            let floor = values[.floor]?.median
            if let subject = values[subject]?.median, contenders.last != .floor {
                rows.append(Row(name: figure.rawValue, value: subject, unit: figure.unit, baseline: floor))
            }
            if let none = values[Contender.none]?.median {
                rows.append(
                    Row(name: "\(figure.rawValue)-no-queue", value: none, unit: figure.unit, baseline: floor))
            }
        }
        return rows
    }

    /// Medians with the lowest and highest of the starts, for people.
    func table(_ samples: Samples) -> String {
        Figure.allCases.compactMap { figure in
            guard let values = samples[figure] else { return nil }
            let cells = contenders.compactMap { contender -> String? in
                guard let list = values[contender], let low = list.min(), let high = list.max() else {
                    return nil
                }
                return "\(contender.rawValue) \(list.median.short) (\(low.short) to \(high.short))"
            }
            return "\(figure.rawValue), \(figure.unit): \(cells.joined(separator: "; "))"
        }.joined(separator: "\n")
    }
}
