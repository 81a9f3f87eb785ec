import Wire

/// Reads the guests of this node, as Proxmox VE keeps them in /etc/pve: qemu-server/VMID.conf and lxc/VMID.conf
/// (qm.conf(5), pct.conf(5)), their pools in user.cfg, and the addresses that its firewall lets each card have in
/// firewall/VMID.fw (pve-firewall(8), "Standard IP set ipfilter-net*").
struct ProxmoxReader {
    let folder: String

    func read(_ problems: inout [InventoryProblem]) -> [PlatformGuest] {
        let pools = pools(&problems)
        var guests: [PlatformGuest] = []
        for isContainer in [false, true] {
            let place = folder + (isContainer ? "/lxc" : "/qemu-server")
            for file in PlatformReading.names(in: place, ending: ".conf", &problems) {
                let number = String(file.dropLast(5))
                guard !number.isEmpty, number.utf8.count <= 9, number.utf8.allSatisfy({ (48...57).contains($0) }) else {
                    continue
                }
                let path = "\(place)/\(file)"
                PlatformReading.attempt(path, &problems) { () throws(InventoryProblem) in
                    guard let lines = try PlatformFile.lines(path) else { return }
                    var guest = try ProxmoxReader.guest(lines, number: number, isContainer: isContainer)
                    guest.owner = pools[number].map(PlatformGuest.printable)
                    guests.append(guest)
                }
                guard guests.last?.identifier == number else { continue }
                let filters = "\(folder)/firewall/\(number).fw"
                PlatformReading.attempt(filters, &problems) { () throws(InventoryProblem) in
                    guard let lines = try PlatformFile.lines(filters) else { return }
                    for (card, addresses) in ProxmoxReader.filters(lines) where card < guests.last!.cards.count {
                        for address in addresses where !guests.last!.cards[card].addresses.contains(address) {
                            guests[guests.count - 1].cards[card].addresses.append(address)
                        }
                    }
                }
            }
        }
        return guests
    }

    /// What a line of a guest's own configuration says; snapshots, which follow in sections of their own, say what was.
    static func guest(
        _ lines: [String], number: String, isContainer: Bool
    ) throws(InventoryProblem) -> PlatformGuest {
        var name: String?
        var cards: [Int: NetworkCard] = [:]
        var addresses: [Int: [Prefix]] = [:]
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("[") { break }
            guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { continue }
            let key = line[..<colon]
            let value = line[line.index(after: colon)...].trimmed
            switch key {
            case isContainer ? "hostname" : "name": name = value
            case _ where key.hasPrefix("net"):
                guard let place = place(key.dropFirst(3)) else { continue }
                guard let card = card(value, number, place, isContainer) else {
                    throw InventoryProblem(
                        line: index + 1, "the card has no hardware address, like \(key): virtio=BC:24:11:00:00:01")
                }
                cards[place] = card
            case _ where key.hasPrefix("ipconfig") && !isContainer:
                guard let place = place(key.dropFirst(8)) else { continue }
                addresses[place] = pinned(options(value))
            default: continue
            }
        }
        var guest = PlatformGuest(
            name: name.flatMap { PlatformGuest.printable($0).isEmpty ? nil : $0 } ?? (isContainer ? "CT" : "VM")
                + number,
            identifier: number, platform: .proxmox)
        // Firewall files speak of cards by their numbers: those that are not there have a place all the same.
        for place in 0..<((cards.keys.max() ?? -1) + 1) {
            var card = cards[place] ?? NetworkCard()
            if cards[place] != nil { card.addresses += addresses[place] ?? [] }
            guest.cards.append(card)
        }
        return guest
    }

    /// A card's number, 0…31.
    private static func place(_ text: some StringProtocol) -> Int? {
        Int(text).flatMap { (0...31).contains($0) ? $0 : nil }
    }

    private static func options(_ value: String) -> [(key: Substring, value: Substring)] {
        value.split(separator: ",").map { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (parts[0], parts.count == 2 ? parts[1] : "")
        }
    }

    /// A guest's frames come to its bridge by `tap` or `veth`; with the firewall on that is a bridge of the card's
    /// own, from which they go on by a pair of interfaces (PVE::Network, tap_plug and create_firewall_bridge).
    private static func card(_ value: String, _ number: String, _ place: Int, _ isContainer: Bool) -> NetworkCard? {
        let options = options(value)
        var card = NetworkCard()
        card.mac =
            isContainer
            ? options.first { $0.key == "hwaddr" }.flatMap { PlatformWord.mac($0.value) }
            : options.lazy.compactMap {
                $0.key == "macaddr" || PlatformReading.isModel($0.key) ? PlatformWord.mac($0.value) : nil
            }
            .first
        guard card.mac != nil else { return nil }
        card.bridge = options.first { $0.key == "bridge" }.flatMap { PlatformWord.interface($0.value) }
        card.vlan = options.first { $0.key == "tag" }.flatMap { PlatformWord.vlan($0.value) }
        card.ports = ["\(isContainer ? "veth" : "tap")\(number)i\(place)", "fwpr\(number)p\(place)"]
        if isContainer { card.addresses = pinned(options) }
        return card
    }

    /// `ip=192.0.2.10/24,ip6=…`; dhcp, auto and manual are no addresses.
    private static func pinned(_ options: [(key: Substring, value: Substring)]) -> [Prefix] {
        options.filter { $0.key == "ip" || $0.key == "ip6" }.compactMap { PlatformWord.address($0.value) }
    }

    /// By the number of the card.
    static func filters(_ lines: [String]) -> [(card: Int, addresses: [Prefix])] {
        var filters: [(card: Int, addresses: [Prefix])] = []
        for line in lines {
            let line = line.prefix { $0 != "#" }.trimmed
            if line.hasPrefix("[") {
                let words = line.dropFirst().prefix { $0 != "]" }.split(separator: " ")
                let isFilter =
                    words.count == 2 && words[0].uppercased() == "IPSET" && words[1].hasPrefix("ipfilter-net")
                filters.append((isFilter ? place(words[1].dropFirst(12)) ?? -1 : -1, []))
            } else if !filters.isEmpty, let prefix = Prefix(line) {
                filters[filters.count - 1].addresses.append(prefix)
            }
        }
        return filters.filter { $0.card >= 0 && !$0.addresses.isEmpty }
    }

    /// By the guest's number: `pool:NAME:COMMENT:100,101:STORAGE:`.
    private func pools(_ problems: inout [InventoryProblem]) -> [String: String] {
        var pools: [String: String] = [:]
        let path = "\(folder)/user.cfg"
        PlatformReading.attempt(path, &problems) { () throws(InventoryProblem) in
            for line in try PlatformFile.lines(path) ?? [] {
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                guard fields.count >= 4, fields[0] == "pool" else { continue }
                for number in fields[3].split(separator: ",") { pools[String(number)] = String(fields[1]) }
            }
        }
        return pools
    }
}

extension PlatformReading {
    /// A model of a card before its hardware address: `virtio=…`, `e1000=…` (qm.conf(5), net[n]).
    static func isModel(_ key: Substring) -> Bool {
        key.hasPrefix("e1000")
            || ["virtio", "vmxnet3", "rtl8139", "pcnet", "i82551", "i82557b", "i82559er"].contains(key)
            || key.hasPrefix("ne2k")
    }
}
