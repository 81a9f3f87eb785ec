import Glibc
import Synchronization

/// Where one thread leaves what another is to use from its next batch on, and gets back what that used until then.
/// What is behind the pointers is the one's that holds them.
struct Handover<Content: ~Copyable>: ~Copyable {
    /// Bit patterns of pointers, 0 for none.
    private let next = Atomic<UInt>(0)
    private let retired = Atomic<UInt>(0)

    // MARK: - Who gives

    func offer(_ content: UnsafeMutablePointer<Content>) {
        next.store(UInt(bitPattern: content), ordering: .releasing)
    }

    /// Waits until the other has taken over what was offered, which it looks for every 50 ms at least. Returns what it
    /// used until then.
    func takeBack() -> UnsafeMutablePointer<Content> {
        while true {
            if let former = unsafe UnsafeMutablePointer<Content>(bitPattern: retired.exchange(0, ordering: .acquiring))
            {
                return unsafe former
            }
            usleep(1_000)
        }
    }

    // MARK: - Who uses

    @inline(__always)
    var hasNext: Bool { next.load(ordering: .acquiring) != 0 }

    /// What is to be taken over, left here until `take`.
    var offered: UnsafeMutablePointer<Content>? {
        unsafe UnsafeMutablePointer(bitPattern: next.load(ordering: .acquiring))
    }

    /// Takes over what was offered, in the place of `content`, which is given back; false if nothing was.
    func take(inPlaceOf content: inout UnsafeMutablePointer<Content>) -> Bool {
        guard next.load(ordering: .relaxed) != 0,
            let fresh = unsafe UnsafeMutablePointer<Content>(bitPattern: next.exchange(0, ordering: .acquiring))
        else { return false }
        retired.store(UInt(bitPattern: content), ordering: .releasing)
        unsafe content = unsafe fresh
        return true
    }
}
