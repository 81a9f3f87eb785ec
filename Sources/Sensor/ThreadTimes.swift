import Glibc

/// CPU time of a thread of this process, from /proc/self/task (proc(5)).
enum ThreadTimes {
    /// User and system time in seconds, in steps of a clock tick (10 ms); 0 for a thread that is not there.
    static func read(_ thread: Int32) -> (user: Double, system: Double) {
        guard thread != 0, let file = unsafe fopen("/proc/self/task/\(thread)/stat", "re") else { return (0, 0) }
        defer { unsafe _ = fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        // The name, in parentheses, may hold anything: fields are counted from its end.
        let text = buffer[..<count]
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return (0, 0) }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " ")).map {
            UInt64(String(decoding: $0, as: UTF8.self)) ?? 0
        }
        guard fields.count > 12 else { return (0, 0) }
        let tick = Double(sysconf(Int32(_SC_CLK_TCK)))
        return (Double(fields[11]) / tick, Double(fields[12]) / tick)
    }

    /// Resident memory of this process in bytes.
    static func residentMemory() -> UInt64 {
        guard let file = unsafe fopen("/proc/self/statm", "re") else { return 0 }
        defer { unsafe _ = fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        let fields = buffer[..<count].split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = UInt64(String(decoding: fields[1], as: UTF8.self)) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
