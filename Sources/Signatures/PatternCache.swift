import CVectorscan
import Glibc

/// Compiled pattern databases on disk, so that a restart does not compile them again.
///
/// One file a rule set, found by a hash of all literals and of Hyperscan's version, and believed only if the
/// literals in it are the same to the byte: a collision is a miss. A file that is cut short, damaged or of
/// another processor is a miss too, and replaced. The sum at its end is ours: Hyperscan's does not cover all.
public struct PatternCache: Sendable {
    public let directory: String
    /// Rule sets kept; the ones used longest ago go.
    static let kept = 4

    public init(directory: String) { self.directory = directory }

    private static let magic = Array("FLINCHP2".utf8)
    private static let largest = 1 << 30

    // MARK: - Reading

    /// The databases of the rule set with this key, if they are there.
    func databases(_ key: [UInt8], count: Int) -> [OpaquePointer]? {
        guard let bytes = read(path(key)) else { return nil }
        var rest = bytes.dropLast(8)
        guard PatternCache.encoded(Int(bitPattern: PatternCache.sum(rest))).elementsEqual(bytes.suffix(8)),
            PatternCache.take(&rest, PatternCache.magic.count).map(Array.init) == PatternCache.magic,
            let length = PatternCache.number(&rest), let known = PatternCache.take(&rest, length),
            known.elementsEqual(key)
        else { return nil }
        var found = unsafe [OpaquePointer]()
        while unsafe found.count < count {
            guard let length = PatternCache.number(&rest), let serialized = PatternCache.take(&rest, length),
                let database = unsafe PatternCache.deserialize(serialized)
            else {
                for index in unsafe found.indices { unsafe hs_free_database(found[index]) }
                return nil
            }
            unsafe found.append(database)
        }
        // The newest are those used last.
        unsafe utimensat(AT_FDCWD, path(key), nil, 0)
        return unsafe found
    }

    private static func deserialize(_ bytes: ArraySlice<UInt8>) -> OpaquePointer? {
        var database: OpaquePointer? = nil
        let status = unsafe bytes.withUnsafeBytes { buffer in
            unsafe hs_deserialize_database(
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count, &database)
        }
        return status == HS_SUCCESS ? unsafe database : nil
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// Eight bytes, little-endian.
    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
        take(&rest, 8).flatMap { Int(exactly: $0.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }
    }

    /// Only what this user wrote and nobody else can: Hyperscan runs what stands in it.
    private func read(_ path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_uid == geteuid(),
            status.st_mode & (S_IWGRP | S_IWOTH) == 0,
            let size = Int(exactly: status.st_size), size <= PatternCache.largest
        else { return nil }
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
            while used < size {
                let count = unsafe Glibc.read(file, buffer.baseAddress! + used, size - used)
                guard count > 0 else { return }
                used += count
            }
        }
    }

    // MARK: - Writing

    /// Keeps the databases for the next start. Returns what went wrong; the rules work without.
    func store(_ databases: [OpaquePointer], _ key: [UInt8]) -> String? {
        var bytes = PatternCache.magic + PatternCache.encoded(key.count) + key
        for index in unsafe databases.indices {
            var serialized: UnsafeMutablePointer<CChar>? = nil
            var length = 0
            guard unsafe hs_serialize_database(databases[index], &serialized, &length) == HS_SUCCESS,
                let start = unsafe serialized
            else { return "no memory for the pattern cache" }
            defer { unsafe free(start) }
            bytes += PatternCache.encoded(length)
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: length))
        }
        bytes += PatternCache.encoded(Int(bitPattern: PatternCache.sum(bytes[...])))
        let path = path(key)
        let fresh = "\(path).\(getpid())"
        let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return problem(fresh) }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe write(file, $0.baseAddress! + written, $0.count - written)
            }
            if count <= 0 { break }
            written += count
        }
        let complete = close(file) == 0 && written == bytes.count
        guard unsafe complete && rename(fresh, path) == 0 else {
            let text = problem(fresh)
            unsafe _ = unlink(fresh)
            return text
        }
        prune()
        return nil
    }

    private func problem(_ path: String) -> String {
        unsafe "pattern cache: \(path): \(String(cString: strerror(errno))); set rules.cache to a folder of its own"
    }

    /// Removes all but the newest.
    private func prune() {
        guard let folder = unsafe opendir(directory) else { return }
        defer { unsafe _ = closedir(folder) }
        var files: [(path: String, used: Int)] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard name.hasSuffix(PatternCache.suffix), unsafe stat("\(directory)/\(name)", &status) == 0 else {
                continue
            }
            files.append(("\(directory)/\(name)", status.st_mtim.tv_sec))
        }
        for file in files.sorted(by: { $0.used > $1.used }).dropFirst(PatternCache.kept) {
            unsafe _ = unlink(file.path)
        }
    }

    // MARK: - Names

    private static let suffix = ".patterns"

    private static func encoded(_ number: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    /// FNV-1a, 64 bits.
    private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt {
        UInt(bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
    }

    private func path(_ key: [UInt8]) -> String {
        let digits = String(PatternCache.sum(key[...]), radix: 16)
        return "\(directory)/\(String(repeating: "0", count: 16 - digits.count))\(digits)\(PatternCache.suffix)"
    }

    /// All that the databases are made of.
    static func key(_ databases: [[Literal]], arena: [UInt8]) -> [UInt8] {
        var key = unsafe Array(String(cString: hs_version()).utf8)
        for literals in databases {
            key += encoded(literals.count)
            for literal in literals {
                let options = literal.expression.map { 2 + Int($0.rawValue) } ?? (literal.ignoresCase ? 1 : 0)
                key += encoded(Int(literal.identifier)) + encoded(options)
                key += encoded(literal.length) + arena[literal.offset..<literal.offset + literal.length]
            }
        }
        return key
    }
}
