/// Flows that are over while their streams still hold something that a listener has not inspected.
extension FlowTable {
    /// Puts a flow aside whose streams hold something that was not inspected. Returns false if there is none,
    /// or no room (then it is lost, and counted): the flow is over as it is.
    mutating func end(_ index: UInt32, _ reason: FlowEnd) -> Bool {
        let flow = unsafe flows + Int(index)
        guard !mode.isInline, unsafe flow.pointee.session.holdsSome else {
            unsafe note(flow, reason)
            return false
        }
        guard free != 0 || Int(used) < records else {
            counters.lostAtEnd &+= 1
            unsafe note(flow, reason)
            return false
        }
        takeOut(index)
        unsafe flow.pointee.end = reason
        unsafe flow.pointee.next = unfinished
        unfinished = index
        return true
    }

    /// Ends all flows, whatever they still hold; or only those that were silent for longer than any may be, as many
    /// as there is room for. Where ended flows are taken, only some: half as many as fit what is taken at once.
    public mutating func endFlows(before time: UInt64 = .max) {
        var most = ended.capacity > 0 ? ended.capacity / 2 : Int.max
        for list in [young, old] {
            var index = list.oldest
            while index != 0, most > 0 {
                most -= 1
                let flow = unsafe flows + Int(index)
                let next = unsafe flow.pointee.newer
                guard unsafe time > flow.pointee.lastTime, unsafe time - flow.pointee.lastTime > FlowTimeout.longest
                else { break }
                changes.begin()
                if !end(index, time == .max ? .shutdown : .timeout) { remove(index) }
                changes.end()
                index = next
            }
        }
    }

    /// Listening only: what a flow that is over still holds of one of its streams. To be called until it gives
    /// nil; each step's windows are to be taken (`nextWindow`) before the next.
    public mutating func nextEnding() -> FlowStep? {
        while unfinished != 0 {
            let flow = unsafe flows + Int(unfinished)
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
            let index = unfinished
            unfinished = unsafe flow.pointee.next
            unsafe note(flow, flow.pointee.end)
            changes.begin()
            unsafe giveBack(flow)
            release(index)
            changes.end()
        }
        return nil
    }
}
