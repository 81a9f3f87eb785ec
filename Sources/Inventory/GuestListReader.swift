import Wire

/// Reads a list of guests that the operator, or a program of his, writes: a guest a line, its name first, then
/// words like `port=tap7`.
///
///     # name   id owner port mac bridge vlan address
///     web      id=7 owner=acme port=tap7 mac=02:00:00:00:00:07 address=192.0.2.7 address=2001:db8::7
struct GuestListReader {
    let path: String

    private static let keys = "id, owner, port, mac, bridge, vlan, address"

    func read(_ problems: inout [InventoryProblem]) -> [PlatformGuest] {
        var guests: [PlatformGuest] = []
        PlatformReading.attempt(path, &problems) { () throws(InventoryProblem) in
            guard let lines = try PlatformFile.lines(path) else {
                throw InventoryProblem(line: 0, "is not there")
            }
            guests = try GuestListReader.guests(lines)
        }
        return guests
    }

    /// All lines or none: half of a list would be taken for guests that are gone.
    static func guests(_ lines: [String]) throws(InventoryProblem) -> [PlatformGuest] {
        var guests: [PlatformGuest] = []
        for (index, line) in lines.enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let name = words.first else { continue }
            guard guests.count < PlatformFile.maximumCount else {
                throw InventoryProblem(line: index + 1, "more than \(PlatformFile.maximumCount) guests")
            }
            guests.append(try guest(name, words.dropFirst(), line: index + 1))
        }
        return guests
    }

    private static func guest(
        _ name: Substring, _ words: ArraySlice<Substring>, line: Int
    ) throws(InventoryProblem) -> PlatformGuest {
        var guest = PlatformGuest(name: String(name), identifier: "", platform: .file)
        guard !name.contains("="), !guest.name.isEmpty else {
            throw InventoryProblem(line: line, "a guest's name comes first, like: web port=tap7")
        }
        var card = NetworkCard()
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw InventoryProblem(line: line, "'\(word.prefix(40))' is no word like port=tap7")
            }
            let value = parts[1]
            func wrong(_ right: String) -> InventoryProblem {
                InventoryProblem(line: line, "'\(word.prefix(40))': write \(right)")
            }
            switch parts[0] {
            case "id": guest.identifier = PlatformGuest.printable(String(value))
            case "owner": guest.owner = PlatformGuest.printable(String(value))
            case "port":
                guard let port = PlatformWord.interface(value) else { throw wrong("an interface, like port=tap7") }
                card.ports.append(port)
            case "bridge":
                guard let bridge = PlatformWord.interface(value) else { throw wrong("an interface, like bridge=br0") }
                card.bridge = bridge
            case "mac":
                guard let mac = PlatformWord.mac(value) else { throw wrong("it like mac=02:00:00:00:00:07") }
                // Another card.
                if card.mac != nil {
                    guest.cards.append(card)
                    card = NetworkCard()
                }
                card.mac = mac
            case "vlan":
                guard let vlan = PlatformWord.vlan(value) else { throw wrong("a number from 1 to 4094") }
                card.vlan = vlan
            case "address":
                guard let prefix = Prefix(value), prefix != Prefix(Address.none) else {
                    throw wrong("an address or prefix, like address=192.0.2.7")
                }
                card.addresses.append(prefix)
            default:
                throw InventoryProblem(line: line, "'\(parts[0].prefix(40))' is not known; the words are \(keys)")
            }
        }
        guest.cards.append(card)
        return guest
    }
}
