import Configuration
import Inventory
import Wire

/// What `flinch setup` found, and what it proposes.
struct SetupPage {
    let text: String

    init(
        _ survey: HostSurvey, _ proposal: Proposal, _ settings: Settings, _ steps: [SetupStep], config: String,
        style: Style
    ) {
        var lines = [style.dim("FOUND")]
        let platforms = survey.sources.map { "\($0.platform.rawValue) (\($0.path))" }
        lines.append("  platform   " + (platforms.isEmpty ? "none that is known" : platforms.joined(separator: ", ")))
        for bridge in survey.bridges {
            let ports = bridge.ports.isEmpty ? "no port" : bridge.ports.prefix(8).joined(separator: ", ")
            let more = bridge.ports.count > 8 ? " and \(bridge.ports.count - 8) more" : ""
            lines.append(
                "  bridge     \(bridge.name.column(16))\(ports)\(more)\(bridge.isVLANAware ? "; knows VLANs" : "")")
        }
        if survey.bridges.isEmpty { lines.append("  bridge     none") }
        for entry in survey.inventory.entries.prefix(50) {
            let ports = entry.ports.map { port in port.bridge.map { "\(port.name) on \($0)" } ?? port.name }
            let addresses =
                entry.pinned.isEmpty ? "address to be learned" : entry.pinned.map(\.description).joined(separator: ", ")
            let place = entry.ports.isEmpty ? "stopped" : ports.joined(separator: ", ")
            lines.append("  guest      \(entry.name.column(16))\(place); \(addresses)")
        }
        let count = survey.inventory.entries.count
        if count > 50 { lines.append("  guest      … and \(count - 50) more") }
        for port in survey.strangers {
            lines.append("  port       \(port.column(16))of a guest that no platform tells of")
        }
        if !proposal.notes.isEmpty {
            lines += ["", style.dim("TO KNOW")] + proposal.notes.map { "  \($0)" }
        }
        lines += ["", style.dim("PROPOSED") + "  \(config), in shadow mode: everything passes"]
        lines += proposal.text.split(separator: "\n").map { "  \($0)" }
        lines += ["", style.dim("WILL BE DONE")]
        lines += steps.isEmpty ? ["  nothing: all is as proposed"] : steps.map { "  \($0.intent)" }
        text = lines.joined(separator: "\n")
    }
}
