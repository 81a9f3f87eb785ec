import Inventory

/// Reads where guests are found.
struct DiscoveryReader {
    /// The configuration file's folder with a slash at its end, or nothing.
    let folder: String

    private static let example = "[libvirt, proxmox, {file: guests.list}]"

    func read(_ section: Section, hasMirror: Bool) -> Settings.Discovery {
        var discovery = Settings.Discovery()
        discovery.learn = section["learn"]?.choice() ?? discovery.learn
        if let value = section["watched"] {
            discovery.watched = PolicyReader.targets(value)
            if !hasMirror { value.problem("there is no mirror that they could be watched in; write a section mirror") }
        }
        guard let from = section["from"] else {
            section.missing("from", "there is nothing; write who says which guests there are, like from: [libvirt]")
            return discovery
        }
        let elements = from.elements(like: DiscoveryReader.example)
        for element in elements ?? [] {
            guard let source = source(element) else { continue }
            if discovery.sources.contains(source) { element.problem("\(source.platform.rawValue) is listed twice") }
            discovery.sources.append(source)
        }
        if elements?.isEmpty == true { from.problem("the list is empty; write it like \(DiscoveryReader.example)") }
        return discovery
    }

    /// A platform, or one with the folder that its files are in.
    private func source(_ element: Value) -> PlatformSource? {
        guard element.isMapping else {
            guard let platform = element.choice(Platform.self) else { return nil }
            guard let path = platform.standardPath else {
                element.problem("a file has a path; write {file: guests.list}")
                return nil
            }
            return PlatformSource(platform, path: path)
        }
        guard let section = element.section(Platform.allCases.map(\.rawValue)) else { return nil }
        // Who wrote another word has been told so.
        guard let word = section.values.keys.first, let platform = Platform(rawValue: word) else { return nil }
        guard section.values.count == 1 else {
            element.problem("write each platform as an element of its own, like [{libvirt: /a}, {file: b}]")
            return nil
        }
        guard let path = section[word]?.text("a path") else { return nil }
        return PlatformSource(platform, path: path.hasPrefix("/") ? path : folder + path)
    }
}
