public import CLinux
import Glibc

/// Memory for a table that is looked into at random: zeroed and touched now, so that a flood does not make the
/// process grow; on large pages where the kernel has them, because what a lookup costs is otherwise half
/// the walk through the page tables.
public enum TableMemory {
    private static let largePage = 2 << 20

    public static func allocate(bytes: Int) -> UnsafeMutableRawPointer {
        let isLarge = bytes >= largePage
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(64, bytes), alignment: isLarge ? largePage : 64)
        // Refused where there are none: small pages then do.
        if isLarge { _ = unsafe madvise(memory, bytes, MADV_HUGEPAGE) }
        unsafe memset(memory, 0, bytes)
        return unsafe memory
    }

    /// Begins to fetch the cache line that `address` is in, and waits for nothing. Any address will do.
    @inlinable @inline(__always)
    public static func prefetch(_ address: UnsafeRawPointer) { unsafe flinch_prefetch(address) }
}
