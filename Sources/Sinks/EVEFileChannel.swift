import Glibc

/// A file of EVE lines that a sink writes, and turns over when it has grown large.
final class EVEFileChannel: Channel {
    let batchLimit = 512
    private let file: EVEFile
    private let rotation: EVEFileSettings.Rotation?

    /// Milliseconds that a pipe's slow reader is waited for.
    private static let patience = 1000

    init(_ settings: EVEFileSettings) throws(EVEFile.OpenError) {
        file = try EVEFile(path: settings.path, patience: EVEFileChannel.patience)
        rotation = settings.rotation
    }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        do {
            try file.write(Array(lines.joined()))
        } catch {
            return .failed(error.description, after: error.written)
        }
        return Delivery(taken: lines.count, problem: rotateIfLarge())
    }

    func reopen() throws { try file.reopen() }

    /// Sets a large file aside as `path.1`, the one before as `path.2`, and so on; the oldest is written over.
    /// Returns what went wrong: then the file goes on growing.
    private func rotateIfLarge() -> String? {
        guard let rotation, let size = file.size, size >= rotation.size else { return nil }
        for number in stride(from: rotation.keep - 1, to: 0, by: -1) {
            unsafe _ = rename("\(file.path).\(number)", "\(file.path).\(number + 1)")
        }
        guard unsafe rename(file.path, file.path + ".1") == 0 else {
            return "cannot set \(file.path) aside: \(unsafe String(cString: strerror(errno)))"
        }
        do {
            try file.reopen()
            return nil
        } catch {
            return error.description
        }
    }
}
