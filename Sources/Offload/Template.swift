/// A text with `@name@` placeholders, from the folder nftables/, embedded by the build.
struct Template {
    let name: String
    let text: String

    init(name: String, bytes: [UInt8]) {
        self.name = name
        text = String(decoding: bytes, as: UTF8.self)
    }

    static let bridge = Template(name: "bridge.nft", bytes: PackageResources.bridge_nft)
    static let inet = Template(name: "inet.nft", bytes: PackageResources.inet_nft)
    static let frames = Template(name: "frames.nft", bytes: PackageResources.frames_nft)
    static let offload = Template(name: "offload.nft", bytes: PackageResources.offload_nft)
    static let offloadClass = Template(name: "offload-class.nft", bytes: PackageResources.offload_class_nft)

    /// Puts the values in place of the placeholders. Values are taken as they are: what looks like a
    /// placeholder in a value stays.
    ///
    /// A placeholder alone on its line repeats its indentation for each line of the value, and goes with its
    /// line when the value is empty; elsewhere an empty value takes the blank after it along.
    ///
    /// Traps on a placeholder without a value: template and values are both part of the program.
    func filled(_ values: [String: String]) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .compactMap { fill(line: $0, values) }
            .joined(separator: "\n")
    }

    private func fill(line: Substring, _ values: [String: String]) -> String? {
        let pieces = line.split(separator: "@", omittingEmptySubsequences: false)
        precondition(pieces.count % 2 == 1, "\(name): a placeholder is not closed: \(line)")
        guard pieces.count > 1 else { return String(line) }
        let indentation = pieces[0]
        let alone =
            pieces.count == 3 && pieces[2].isEmpty && indentation.allSatisfy { $0 == " " || $0 == "#" }
        if alone {
            let value = self.value(of: pieces[1], values)
            guard !value.isEmpty else { return nil }
            return value.split(separator: "\n").map { indentation + $0 }.joined(separator: "\n")
        }
        var filled = ""
        var dropBlank = false
        for (index, piece) in pieces.enumerated() {
            if index % 2 == 0 {
                filled += dropBlank && piece.first == " " ? piece.dropFirst() : piece
            } else {
                let value = self.value(of: piece, values)
                dropBlank = value.isEmpty
                filled += value
            }
        }
        return filled
    }

    private func value(of placeholder: Substring, _ values: [String: String]) -> String {
        guard let value = values[String(placeholder)] else {
            preconditionFailure("\(name): no value for @\(placeholder)@")
        }
        return value
    }

    /// Rules by family in an nft text that has one a line: the lines of the chains of its tables that are
    /// neither comments nor the hook.
    static func ruleCounts(in text: String) -> [InstalledRules.Family: Int] {
        var counts: [InstalledRules.Family: Int] = [:]
        var family = InstalledRules.Family.bridge
        var inChain = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == "table",
                let named = InstalledRules.Family.allCases.first(where: { $0.name == words[1] })
            {
                family = named
                counts[family, default: 0] += 0
            } else if words.first == "chain" {
                inChain = true
            } else if words.first == "}" {
                inChain = false
            } else if inChain, let first = words.first, first != "type", !first.hasPrefix("#") {
                counts[family, default: 0] += 1
            }
        }
        return counts
    }
}
