import Foundation

/// What outlives the sensor, in one file of its state folder: read when it starts (`StateKeeper`).
struct StateFile<Content: Codable & Sendable>: Sendable {
    let path: String

    /// `state` is the folder of what must outlive the sensor.
    init(state: String, _ name: String) { path = state + "/" + name }

    /// What was kept; nil if nothing was.
    ///
    /// Throws for what is there and cannot be read.
    func read() throws -> Content? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try JSONDecoder().decode(Content.self, from: data)
    }

    /// Replaces what was kept, wholly or not at all.
    func write(_ content: Content) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try JSONEncoder().encode(content).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
