import Glibc

/// A password or key. It comes from a file that only its owner can read, or from systemd's credentials, and is
/// never shown: not in logs, not in a status, not on a command line.
struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let bytes: [UInt8]

    private static let limit = 4096

    /// Without the line end that an editor leaves at its end.
    init(_ source: SecretSource) throws(Failure) {
        let path = try Secret.path(of: source)
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw Failure(
                description: "cannot read the secret \(path): \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(description: "the secret \(path) is not a file")
        }
        // systemd's credentials are on a file system that only the service sees (mode 0440 for its user).
        if case .file = source {
            guard status.st_mode & 0o077 == 0, status.st_uid == geteuid() || status.st_uid == 0 else {
                throw Failure(
                    description:
                        "the secret \(path) can be read or changed by others; chown it to root and chmod it to 600")
            }
        }
        guard var content = SystemCall.read(path, from: 0, Secret.limit + 1), content.count <= Secret.limit else {
            throw Failure(description: "the secret \(path) is longer than \(Secret.limit) bytes")
        }
        while let last = content.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            content.removeLast()
        }
        guard !content.isEmpty, !content.contains(0) else {
            throw Failure(description: "the secret \(path) is empty or no text")
        }
        bytes = content
    }

    private static func path(of source: SecretSource) throws(Failure) -> String {
        switch source {
        case .file(let path): return path
        case .credential(let name):
            guard let folder = unsafe getenv("CREDENTIALS_DIRECTORY") else {
                throw Failure(
                    description: "there is no credential \(name): this was not started by systemd with LoadCredential=")
            }
            return unsafe String(cString: folder) + "/" + name
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var description: String { "(secret)" }
    var debugDescription: String { description }
}
