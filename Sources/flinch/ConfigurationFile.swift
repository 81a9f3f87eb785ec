import Control
import Foundation

/// The running sensor's configuration file, written anew by the operator's commands, never by the sensor.
struct ConfigurationFile {
    /// Behind symbolic links, which stay.
    let path: String

    init(_ path: String) { self.path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path }

    /// nil where there is none that can be read.
    var data: Data? { try? Data(contentsOf: URL(fileURLWithPath: path)) }

    /// Whole or not at all, with the mode and owner that the file has. `suffix` is for another beside it.
    func write(_ data: Data, beside suffix: String = "") throws {
        var status = stat()
        let hasModel = unsafe stat(path, &status) == 0
        let new = path + suffix + ".new"
        unsafe unlink(new)
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ControlError("cannot write \(new): \(unsafe String(cString: strerror(errno)))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: data)
        if hasModel {
            fchown(descriptor, status.st_uid, status.st_gid)
            fchmod(descriptor, status.st_mode & 0o7777)
        }
        try file.synchronize()
        guard unsafe rename(new, path + suffix) == 0 else {
            throw ControlError("cannot write \(path)\(suffix): \(unsafe String(cString: strerror(errno)))")
        }
    }
}
