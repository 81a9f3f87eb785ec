import Wire

/// Reads the domains that run, as libvirt's drivers write them into /run/libvirt/qemu and /run/libvirt/lxc, a file
/// each (libvirt: virDomainObjSave; docs: formatdomain). nova tells of itself in the metadata (nova:
/// virt/libvirt/config.py, LibvirtConfigGuestMetaNovaInstance).
struct LibvirtReader {
    let folder: String
    /// Only the domains that nova made, or only the others; nil for all.
    let platform: Platform?

    private static let drivers = ["qemu", "lxc"]

    func read(_ problems: inout [InventoryProblem]) -> [PlatformGuest] {
        var guests: [PlatformGuest] = []
        for driver in LibvirtReader.drivers {
            let place = "\(folder)/\(driver)"
            for name in PlatformReading.names(in: place, ending: ".xml", &problems) {
                let path = "\(place)/\(name)"
                PlatformReading.attempt(path, &problems) { () throws(InventoryProblem) in
                    guard let bytes = try PlatformFile.read(path) else { return }
                    let guest = try LibvirtReader.guest(XMLElement.parse(bytes))
                    if let guest, platform == nil || guest.platform == platform { guests.append(guest) }
                }
            }
        }
        return guests
    }

    /// nil for a file of libvirt's that is about no domain: networks have such files as well.
    static func guest(_ root: XMLElement) throws(InventoryProblem) -> PlatformGuest? {
        guard let domain = root.name == "domain" ? root : root.first("domain") else { return nil }
        let uuid = domain.word("uuid") ?? ""
        guard let name = domain.word("name"), !PlatformGuest.printable(name).isEmpty else {
            throw InventoryProblem(line: 0, "the domain has no name")
        }
        let nova = domain.first("metadata", "instance")
        var guest = PlatformGuest(
            name: nova?.word("name") ?? name, identifier: uuid, platform: nova == nil ? .libvirt : .openstack,
            owner: nova?.word("owner", "project"))
        let ports = nova?.first("ports")?.all("port") ?? []
        for interface in domain.first("devices")?.all("interface") ?? [] {
            guest.cards.append(card(interface, ports))
        }
        return guest
    }

    private static func card(_ interface: XMLElement, _ ports: [XMLElement]) -> NetworkCard {
        var card = NetworkCard()
        card.mac = interface.first("mac")?.attributes["address"].flatMap(PlatformWord.mac)
        card.bridge = interface.first("source")?.attributes["bridge"].flatMap(PlatformWord.interface)
        if let port = interface.first("target")?.attributes["dev"].flatMap(PlatformWord.interface) {
            card.ports = [port]
        }
        card.vlan = interface.first("vlan", "tag")?.attributes["id"].flatMap(PlatformWord.vlan)
        // What nwfilter is told that the guest's address is.
        for parameter in interface.first("filterref")?.all("parameter") ?? []
        where ["IP", "IPV6"].contains(parameter.attributes["name"]) {
            if let address = parameter.attributes["value"].flatMap(PlatformWord.address) {
                card.addresses.append(address)
            }
        }
        if let port = ports.first(where: { tap(of: $0) == card.ports.first }) {
            card.addresses += port.all("ip").compactMap { $0.attributes["address"].flatMap(PlatformWord.address) }
        }
        return card
    }

    /// The interface of a neutron port: `tap` and the first eleven characters of its identifier (neutron_lib:
    /// constants.TAP_DEVICE_PREFIX, 15 bytes at most in all).
    private static func tap(of port: XMLElement) -> String? {
        port.attributes["uuid"].map { "tap" + $0.prefix(11) }
    }
}
