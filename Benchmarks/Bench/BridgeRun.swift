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
    /// The rule file that the sensor runs with.
    let rules: String

    /// A wrong answer is measured again so many times before it counts: the machine may have been busy.
    private static let attempts = 3

    typealias Samples = [Figure: [Contender: [Double]]]

    /// What was measured, and which answers stayed wrong. Their figures have no row, the others have.
    struct Found {
        var samples: Samples = [:]
        var wrongAnswers: [String] = []
        fileprivate var wrong: Set<Figure> = []
    }

    func run() throws -> Found {
        try Requirements.root()
        try tools.check(contenders)
        var found = Found()
        for start in 0..<starts {
            try Quiet.check()
            let lab = try Stand.buildLab()
            defer { lab.stop() }
            for contender in contenders {
                try lab.write(
                    BenchConfiguration.yaml(for: lab, rules: rules, contender),
                    to: Stand.configurationName(of: contender))
            }
            try BenchConfiguration.writeSecret(in: lab)
            for measurement in measurements {
                let able = contenders.filter(measurement.contenders.contains)
                // A different one goes first each time.
                for turn in able.indices {
                    let contender = able[(start + turn) % able.count]
                    let place = "\(start + 1)/\(starts) \(contender.rawValue)"
                    do {
                        let values = try measure(measurement, contender, in: lab, place)
                        for (figure, value) in values {
                            found.samples[figure, default: [:]][contender, default: []].append(value)
                        }
                    } catch let wrong as WrongAnswer {
                        found.wrong.formUnion(measurement.figures)
                        found.wrongAnswers.append("\(place), \(measurement.figures[0].rawValue): \(wrong)")
                    }
                }
            }
        }
        return found
    }

    private func measure(
        _ measurement: Measurement, _ contender: Contender, in lab: Lab, _ place: String
    ) throws -> [Figure: Double] {
        var attempt = 1
        while true {
            let stand = try Stand(contender, in: lab, tools: tools, counting: measurement.counting)
            defer { stand.stop() }
            do {
                let values = try measurement.run(stand)
                let list = measurement.figures.compactMap { figure in
                    values[figure].map { "\(figure.rawValue) \($0.short) \(figure.unit)" }
                }
                note("\(place): \(list.joined(separator: ", "))")
                return values
            } catch let wrong as WrongAnswer {
                note("\(place), \(measurement.figures[0].rawValue): \(wrong)")
                guard attempt < Self.attempts else { throw wrong }
                attempt += 1
            }
        }
    }

    /// A row for each figure that both were measured on, and one for the bridge alone where it has it.
    func rows(_ found: Found) -> [Row] {
        var rows: [Row] = []
        for figure in Figure.allCases {
            guard let values = found.samples[figure], !found.wrong.contains(figure) else { continue }
            let floor = values[figure.pair.baseline]?.median
            // Where the control stands in Flinch's place.
            let measured = values[figure.pair.subject] ?? values[.control]
            if let subject = measured?.median {
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
