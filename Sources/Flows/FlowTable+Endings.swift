/// Flows that are over while their streams still hold something that a listener has not inspected.
extension FlowTable {
    /// Puts a flow aside whose streams hold something that was not inspected. Returns false if there is none,
    /// or no room: then it is lost, and counted.
    mutating func end(_ index: UInt32) -> Bool {
        guard !mode.isInline, unsafe flows[Int(index)].session.holdsSome else { return false }
        guard free != 0 || Int(used) < records else {
            counters.lostAtEnd &+= 1
            return false
        }
        takeOut(index)
        unsafe flows[Int(index)].next = ended
        ended = index
        return true
    }

    /// Listening only: ends all flows, whatever they still hold; or only those that were silent for longer than
    /// any may be, as many as there is room for.
    public mutating func endFlows(before time: UInt64 = .max) {
        for list in [young, old] {
            var index = list.oldest
            while index != 0 {
                let flow = unsafe flows + Int(index)
                let next = unsafe flow.pointee.newer
                guard unsafe time > flow.pointee.lastTime, unsafe time - flow.pointee.lastTime > FlowTimeout.longest
                else { break }
                if !end(index) { remove(index) }
                index = next
            }
        }
    }

    /// Listening only: what a flow that is over still holds of one of its streams. To be called until it gives
    /// nil; each step's windows are to be taken (`nextWindow`) before the next.
    public mutating func nextEnding() -> FlowStep? {
        while ended != 0 {
            let flow = unsafe flows + Int(ended)
            for toServer in [true, false] where unsafe stream(of: flow, toServer).pointee.held != 0 {
                var step = FlowStep()
                unsafe step.flow = unsafe flow
                step.toServer = toServer
                step.isEstablished = unsafe flow.pointee.state != .new
                step.isStreamOnly = true
                step.isEnd = true
                step.hasMore = true
                return step
            }
            let index = ended
            ended = unsafe flow.pointee.next
            unsafe giveBack(flow)
            release(index)
        }
        return nil
    }
}
