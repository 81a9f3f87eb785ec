import Evidence
import Floods
import Logging
import Offload

/// Carries the controller's orders to the kernel's rules, and back what the kernel dropped.
struct KernelOffload {
    /// nil where the kernel drops nothing by itself.
    private let filter: FloodFilter?
    private let log: Logger
    /// Packets' clock of the last call; sources that proved themselves since are new to the kernel.
    private var told: UInt64 = 0
    private var isFailing = false

    init(_ rules: KernelRules, _ log: Logger) {
        self.log = log
        do throws(OffloadError) {
            filter = try rules.floodFilter()
        } catch {
            filter = nil
            log.error("floods are not dropped by the kernel: \(error)")
        }
    }

    /// Packets that the kernel dropped since the last call, by order.
    mutating func drops() -> [(order: FloodOrder, packets: UInt64)] {
        do throws(OffloadError) {
            return try filter?.drops() ?? []
        } catch {
            report(error)
            return []
        }
    }

    /// `time` is the packets' clock.
    mutating func apply(_ orders: Controller.Orders, _ time: UInt64) {
        guard let filter, !orders.orders.isEmpty || filter.isActive else { return }
        let sources =
            orders.orders.isEmpty ? [] : orders.memory.trustedAddresses(since: filter.wantsAllTrusted ? 0 : told)
        let repeated = orders.orders.isEmpty ? [] : orders.memory.repeatedAddresses(since: told)
        do throws(OffloadError) {
            try filter.apply(orders.orders, hostile: orders.hostile, trusted: sources, repeated: repeated, time)
            isFailing = false
        } catch {
            report(error)
        }
        told = time
    }

    /// Takes all orders back, as before the rules go or the tables change.
    mutating func clear() {
        guard let filter, filter.isActive else { return }
        do throws(OffloadError) {
            try filter.clear()
        } catch {
            report(error)
        }
    }

    /// Once for a failure that lasts: the flood is then all queued, as without orders.
    private mutating func report(_ error: OffloadError) {
        if !isFailing { log.error("\(error)") }
        isFailing = true
    }
}
