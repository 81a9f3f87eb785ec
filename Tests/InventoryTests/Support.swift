import Foundation
import Inventory
import Wire

/// Files as the platforms write them, beside this one.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures"

    static func source(_ platform: Platform, _ name: String) -> PlatformSource {
        PlatformSource(platform, path: "\(folder)/\(name)")
    }

    /// Guests of one source, on a host with these interfaces.
    static func read(_ platform: Platform, _ name: String, _ links: [Link] = []) -> Inventory {
        Inventory.read([source(platform, name)], LinkTable(links))
    }
}

extension Inventory {
    func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }
}

func prefixes(_ words: String...) -> [Prefix] { words.map { Prefix($0)! } }
