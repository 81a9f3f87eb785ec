import Foundation
import Lab

/// The measurements on the bridge: contenders take turns, so that what drifts drifts for all of them.
struct BridgeRun {
    let contenders: [Contender]
    /// Starts of each contender.
    let starts: Int
    let measurements: [Measurement]
    let tools: Tools
    let configuration: String

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
            try lab.write(configuration, to: Tools.configurationName)
            // A different one goes first each time.
            for turn in contenders.indices {
                let contender = contenders[(start + turn) % contenders.count]
                let began = ContinuousClock.now
                for (figure, value) in try measure(contender, in: lab) {
                    samples[figure, default: [:]][contender, default: []].append(value)
                }
                let seconds = (ContinuousClock.now - began) / .seconds(1)
                note("start \(start + 1) of \(starts), \(contender.rawValue): \(seconds.short) s")
            }
        }
        return samples
    }

    private func measure(_ contender: Contender, in lab: Lab) throws -> [Figure: Double] {
        let stand = try Stand(contender, in: lab, tools: tools)
        defer { stand.stop() }
        var values: [Figure: Double] = [:]
        for measurement in measurements where contender.hasQueue || !measurement.needsQueue {
            values.merge(try attempt(measurement, on: stand)) { $1 }
        }
        return values
    }

    private func attempt(_ measurement: Measurement, on stand: Stand) throws -> [Figure: Double] {
        var attempt = 1
        while true {
            do {
                return try measurement.run(stand)
            } catch let wrong as WrongAnswer {
                let what = "\(stand.contender.rawValue), \(measurement.figures[0].rawValue): \(wrong)"
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
                guard let list = values[contender], let low = list.min(), let high = list.max() else { return nil }
                return "\(contender.rawValue) \(list.median.short) (\(low.short) to \(high.short))"
            }
            return "\(figure.rawValue), \(figure.unit): \(cells.joined(separator: "; "))"
        }.joined(separator: "\n")
    }
}
