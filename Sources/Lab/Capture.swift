import CLinux
import Foundation

/// A file without a name: what a program printed, or what it is to read.
final class Capture: Sendable {
    let descriptor: Int32

    init(containing text: String = "") throws {
        var template = Array("/tmp/flinch-lab.XXXXXX".utf8CString)
        descriptor = unsafe template.withUnsafeMutableBufferPointer { buffer in
            let file = unsafe mkstemp(buffer.baseAddress!)
            if file >= 0 {
                unsafe unlink(buffer.baseAddress!)
                _ = fcntl(file, F_SETFD, FD_CLOEXEC)
            }
            return file
        }
        guard descriptor >= 0 else { throw LabError("cannot make a file in /tmp") }
        guard !text.isEmpty else { return }
        let bytes = Array(text.utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress!, $0.count) }
        guard written == bytes.count else { throw LabError("cannot write to /tmp") }
        lseek(descriptor, 0, SEEK_SET)
    }

    deinit { close(descriptor) }

    /// From the first byte to the last; reading does not move the writer's place in the file.
    var text: String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress!, $0.count, bytes.count)
            }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
