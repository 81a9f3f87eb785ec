import Foundation
import Sinks
import Testing

struct EVEFileTests {
    @Test func appendsToWhatIsThere() throws {
        try withFolder { folder in
            let path = folder + "/eve.json"
            for text in ["one", "two"] {
                let file = try EVEFile(path: path)
                try file.write(line(text) + line(text))
            }
            #expect(try contents(path) == "one\none\ntwo\ntwo\n")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect((mode ?? 0o777) & 0o027 == 0, "nobody but the owner and readers of the group")
        }
    }

    @Test func whatCannotBeOpenedIsSaidClearly() throws {
        try withFolder { folder in
            func message(_ path: String) -> String? {
                do {
                    _ = try EVEFile(path: path)
                    return nil
                } catch {
                    return error.description
                }
            }
            let path = folder + "/none/eve.json"
            #expect(
                message(path)
                    == "cannot open \(path): the folder \(folder)/none does not exist; make it, or write elsewhere"
            )
            #expect(message(folder) == "cannot open \(folder): Is a directory")
            let pipe = folder + "/pipe"
            #expect(unsafe mkfifo(pipe, 0o600) == 0)
            #expect(message(pipe) == "cannot open \(pipe): nobody reads this pipe")
        }
    }

    @Test func rotation() throws {
        try withFolder { folder in
            let path = folder + "/eve.json"
            let file = try EVEFile(path: path)
            try file.write(line("old"))
            try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
            try file.write(line("still old"))
            try file.reopen()
            try file.write(line("new"))
            #expect(try contents(path + ".1") == "old\nstill old\n")
            #expect(try contents(path) == "new\n")

            // The new one cannot be opened: the old one stays.
            try FileManager.default.moveItem(atPath: path, toPath: path + ".2")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let error = #expect(throws: EVEFile.OpenError.self) { try file.reopen() }
            #expect(error?.description == "cannot open \(path): Is a directory")
            try file.write(line("kept"))
            #expect(try contents(path + ".2") == "new\nkept\n")
        }
    }

    @Test func aFullDeviceTakesNothingAndSaysSo() throws {
        let file = try EVEFile(path: "/dev/full")
        let error = #expect(throws: EVEFile.WriteError.self) { try file.write(line("a") + line("b")) }
        #expect(error?.description == "cannot write to /dev/full: No space left on device")
        #expect(error?.written == 0)
    }

    /// A file system of 64 KiB. It is detached as soon as the files are open, so that nothing stays behind
    /// whatever happens to the test.
    @Test func aFullDiskKeepsWholeLinesAndRecovers() throws {
        try withFolder { folder in
            try #require(
                unsafe mount("flinch", folder, "tmpfs", 0, "size=64k") == 0, "mounting needs root")
            let opened = Result { try EVEFile(path: folder + "/eve.json") }
            let filler = unsafe open(folder + "/filler", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            let reader = unsafe open(folder + "/eve.json", O_RDONLY | O_CLOEXEC)
            try #require(unsafe umount2(folder, Int32(MNT_DETACH)) == 0)
            defer {
                close(filler)
                close(reader)
            }
            let file = try opened.get()
            let page = [UInt8](repeating: 0x78, count: 4096)
            for _ in 0..<14 { #expect(unsafe write(filler, page, page.count) == page.count) }

            // 1000 bytes a line; between 4 and 8 of them fit.
            let text = line(String(repeating: "y", count: 999))
            let many = [UInt8]((0..<20).map { _ in text }.joined())
            let error = #expect(throws: EVEFile.WriteError.self) { try file.write(many) }
            let kept = try #require(error?.written)
            #expect((4...8).contains(kept))
            #expect(error?.description.hasSuffix("No space left on device") == true)
            #expect(lseek(reader, 0, Int32(SEEK_END)) == Int(kept) * 1000, "no half line stays")
            #expect(throws: EVEFile.WriteError.self) { try file.write(text) }

            #expect(ftruncate(filler, 0) == 0)
            try file.write(many)
            #expect(lseek(reader, 0, Int32(SEEK_END)) == Int(kept + 20) * 1000)
        }
    }

    /// A pipe whose reader sleeps: the writer goes on after its patience, and what it half wrote ends
    /// before the next line.
    @Test func aPipeThatNobodyReadsDoesNotHoldUp() throws {
        try withFolder { folder in
            let pipe = folder + "/pipe"
            #expect(unsafe mkfifo(pipe, 0o600) == 0)
            let reader = unsafe open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            defer { close(reader) }
            let file = try EVEFile(path: pipe, patience: 500)
            // A pipe holds 64 KiB: 65 lines of 1000 bytes and a part.
            let text = line(String(repeating: "z", count: 999))
            let many = [UInt8]((0..<100).map { _ in text }.joined())
            let start = Date()
            var kept = 0
            for _ in 0..<20 {
                let error = #expect(throws: EVEFile.WriteError.self) { try file.write(many) }
                kept += error?.written ?? 0
                #expect(error?.description == "cannot write to \(pipe): nobody reads it")
            }
            #expect(Date().timeIntervalSince(start) < 5, "patience is spent once, and not for each write")
            #expect((50...66).contains(kept))

            var received = drained(reader)
            try file.write(line("after"))
            received += drained(reader)
            let lines = received.split(separator: "\n")
            #expect(lines.last == "after")
            #expect(lines.filter { $0.utf8.count == 999 }.count == kept)
            #expect(lines.count <= kept + 2)
        }
    }

    private func drained(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}
