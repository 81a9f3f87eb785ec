import Glibc

/// Files of the repository and, where they are, the rule sets and captures that are not part of it.
enum Files {
    static let root = String(#filePath.prefix(upTo: #filePath.range(of: "/Tests/SignaturesTests/")))
    static let starter = root + "/Sources/Signatures/Rules/starter.rules"

    /// The folder given by FLINCH_SHARED, else the one beside the repository; nil if there is none.
    static let shared: String? = {
        let named = unsafe getenv("FLINCH_SHARED").map { unsafe String(cString: $0) }
        return [named, root + "/../shared"].compactMap { $0 }.first { exists($0 + "/rules") }
    }()

    static func exists(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }

    static func text(_ path: String) -> String? {
        guard let handle = unsafe fopen(path, "r") else { return nil }
        defer { unsafe _ = fclose(handle) }
        var bytes: [UInt8] = []
        while true {
            let byte = unsafe fgetc(handle)
            guard byte != EOF else { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
    }

    /// The files under `folder` whose names end so, in alphabetical order.
    static func list(_ folder: String, endings: [String]) -> [String] {
        guard let handle = unsafe opendir(folder) else { return [] }
        defer { unsafe _ = closedir(handle) }
        var files: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(".") { continue }
            let path = folder + "/" + name
            if endings.contains(where: { name.hasSuffix($0) }) {
                files.append(path)
            } else if unsafe entry.pointee.d_type == UInt8(DT_DIR) {
                files += list(path, endings: endings)
            }
        }
        return files.sorted()
    }
}

extension String {
    /// Where `other` starts.
    fileprivate func range(of other: String) -> String.Index {
        var start = startIndex
        while start < endIndex, !self[start...].hasPrefix(other) { start = index(after: start) }
        return start
    }
}
