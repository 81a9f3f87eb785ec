import Glibc
import Intake

/// The rings that one worker reads, one at each interface, and how it answers; made whole, then the worker's until it
/// has taken over another. The rings themselves are `MirrorPorts`', because two sets have most of them in common.
@safe
struct RingSet: ~Copyable {
    let count: Int
    let rings: UnsafeMutablePointer<UnsafeMutablePointer<MirrorRing>>
    let gauges: UnsafeMutablePointer<UnsafeMutablePointer<RingGauges>>
    let polls: UnsafeMutablePointer<pollfd>
    /// Index of the interface that resets leave by; 0 where there are none.
    let answers: UInt32
    /// Resets a second.
    let rate: UInt64

    init(_ places: [Place], answers: UInt32, rate: UInt64) {
        count = places.count
        unsafe rings = .allocate(capacity: places.count)
        unsafe gauges = .allocate(capacity: places.count)
        unsafe polls = .allocate(capacity: places.count)
        for (index, place) in places.enumerated() {
            unsafe (rings + index).initialize(to: place.ring)
            unsafe (gauges + index).initialize(to: place.gauges)
            unsafe (polls + index).initialize(
                to: pollfd(fd: place.ring.pointee.handle, events: Int16(POLLIN), revents: 0))
        }
        self.answers = answers
        self.rate = rate
    }

    deinit {
        unsafe rings.deallocate()
        unsafe gauges.deallocate()
        unsafe polls.deallocate()
    }

    /// A ring of this worker, and what it counts of it.
    @safe
    struct Place {
        let ring: UnsafeMutablePointer<MirrorRing>
        let gauges: UnsafeMutablePointer<RingGauges>
    }

    func contains(_ ring: UnsafeMutablePointer<MirrorRing>) -> Bool {
        for index in 0..<count where unsafe rings[index] == ring { return true }
        return false
    }
}
