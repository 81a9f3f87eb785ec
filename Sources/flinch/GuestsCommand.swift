import ArgumentParser
import Control
import Foundation

struct GuestsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guests", abstract: "Say who is protected, where, and by which policy.",
        discussion: """
            Guests are those of the configuration, and those that libvirt, Proxmox VE, OpenStack or a file tells of \
            (guests: {from: …}). An address is configured, pinned by the platform, or learned: leased by DHCP, claimed \
            by ARP or neighbour discovery, or used.
            """)

    @OptionGroup var sensor: SensorOptions
    @Flag(help: "Print all of it as JSON.")
    var json = false

    func run() throws {
        let answer = try ControlClient.request(path: sensor.control, "guests")
        let document = try JSONDecoder().decode(GuestsDocument.self, from: Data(answer))
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            FileHandle.standardOutput.write(try encoder.encode(document) + [10])
        } else {
            print(GuestsPage(document, style: .ofStandardOutput).text)
        }
    }
}

/// Guests as a table, an address a line.
struct GuestsPage {
    let document: GuestsDocument
    let style: Style

    init(_ document: GuestsDocument, style: Style) {
        self.document = document
        self.style = style
    }

    private static let titles = ["GUEST", "PLATFORM", "ID", "OWNER", "STATE", "PORT", "POLICY", "ADDRESS"]

    var text: String {
        let rows = document.guests.flatMap(rows)
        let widths = GuestsPage.titles.indices.map { column in
            ([GuestsPage.titles] + rows).map { $0[column].count }.max()! + 2
        }
        func line(_ words: [String]) -> String {
            let line = zip(words, widths).map { $0.column($1) }.joined()
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        var lines = [style.dim(line(GuestsPage.titles))] + rows.map(line)
        if document.guests.isEmpty { lines.append("None.") }
        for guest in document.guests {
            if let conflict = guest.conflict { lines.append("\(guest.name) claims \(conflict)") }
        }
        lines += document.problems.map { "problem: \($0)" }
        return lines.joined(separator: "\n")
    }

    /// What is said once for the guest stands on its first line.
    private func rows(_ guest: GuestsDocument.Guest) -> [[String]] {
        let ports = guest.ports.map { port in port.bridge.map { "\(port.name) on \($0)" } ?? port.name }
        let addresses = guest.addresses.map { "\($0.address) \($0.known)" }
        let policy = guest.policy + (guest.shadow ? " (shadow)" : "")
        return (0..<max(1, ports.count, addresses.count)).map { index in
            let head =
                index == 0
                ? [
                    guest.name, guest.platform ?? "–", String((guest.identifier ?? "–").prefix(13)), guest.owner ?? "–",
                    guest.state,
                ]
                : ["", "", "", "", ""]
            return head + [
                ports.indices.contains(index) ? ports[index] : index == 0 ? "–" : "", index == 0 ? policy : "",
                addresses.indices.contains(index) ? addresses[index] : index == 0 ? "none known" : "",
            ]
        }
    }
}
