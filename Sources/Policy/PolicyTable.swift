import Evidence

/// The policies of all guests, and the one for traffic of nobody's; immutable once made.
@safe
public final class PolicyTable: Sendable {
    public let guestCount: Int
    public let view: View

    public init(guests: [GuestPolicy], others: GuestPolicy) {
        guestCount = guests.count
        let policies = UnsafeMutablePointer<GuestPolicy>.allocate(capacity: guests.count + 1)
        unsafe policies.initialize(to: others)
        for (index, policy) in guests.enumerated() { unsafe (policies + index + 1).initialize(to: policy) }
        view = unsafe View(policies: policies)
    }

    deinit { unsafe view.policies.deallocate() }

    /// Valid while the table lives.
    @safe @frozen
    public struct View: @unchecked Sendable, BitwiseCopyable {
        /// The first is everybody else's, so that guest -1 needs no branch.
        @usableFromInline let policies: UnsafeMutablePointer<GuestPolicy>

        init(policies: UnsafeMutablePointer<GuestPolicy>) { unsafe self.policies = unsafe policies }

        /// `guest` must be -1 or an index into the guests the table was made for.
        @inlinable
        public subscript(guest: Int32) -> GuestPolicy { unsafe policies[Int(guest &+ 1)] }
    }
}
