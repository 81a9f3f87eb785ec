import Behaviour
import Foundation

/// Where what was learned of guests outlives the sensor.
struct LearnedFile: Sendable {
    let path: String

    /// `state` is the folder of what must outlive the sensor.
    init(state: String) { path = state + "/behaviour.json" }

    /// What was kept; nil if nothing was.
    ///
    /// Throws for what is there and cannot be read.
    func read() throws -> Learned? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try JSONDecoder().decode(Learned.self, from: data)
    }

    /// Replaces what was kept, wholly or not at all.
    func write(_ learned: Learned) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try JSONEncoder().encode(learned).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
