import CLinux

/// Tells when interfaces came, went, or changed their bridge (RTM_NEWLINK, RTM_DELLINK; rtnetlink(7)).
public struct LinkWatch: ~Copyable {
    private let socket: LinkSocket

    public init() throws(InventoryProblem) { socket = try LinkSocket(groups: UInt32(RTMGRP_LINK)) }

    /// Waits for a change, or so many milliseconds.
    public func wait(atMost milliseconds: Int) { socket.wait(Int32(clamping: milliseconds)) }

    /// Whether anything has changed since it was last asked. Never waits.
    public func hasChanged() -> Bool {
        var changed = false
        // So many datagrams at most: whoever makes interfaces faster is looked at in the next step.
        for _ in 0..<256 {
            do throws(InventoryProblem) {
                guard let (messages, lost) = try socket.receive(wait: false) else { break }
                let isOfLinks = messages.contains { [RTM_NEWLINK, RTM_DELLINK].contains(Int($0.type)) }
                changed = changed || lost || isOfLinks
            } catch {
                return true
            }
        }
        return changed
    }
}
