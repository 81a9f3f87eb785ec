// Rules that wait for the rest of what they ask.

extension FlowTable {
    /// Whether rules wait for more of the stream that a step is about.
    @inline(__always)
    public mutating func hasPending(_ step: @_addressable FlowStep) -> Bool {
        guard let flow = unsafe step.flow else { return false }
        return unsafe stream(of: flow, step.toServer).pointee.pending[0] != 0
    }

    /// Gives the rules that wait, which then wait no more.
    public mutating func takePending(_ step: @_addressable FlowStep, _ body: (UInt32) -> Void) {
        guard let flow = unsafe step.flow else { return }
        let stream = unsafe stream(of: flow, step.toServer)
        for i in 0..<4 {
            let rule = unsafe stream.pointee.pending[i]
            guard rule != 0 else { return }
            unsafe stream.pointee.pending[i] = 0
            body(rule - 1)
        }
    }

    /// Remembers a rule whose pattern was found in the stream and that may match once there is more. When
    /// there are too many, what is kept of the stream is to be looked at again.
    public mutating func remember(_ rule: UInt32, _ step: @_addressable FlowStep) {
        guard let flow = unsafe step.flow, step.window.freshLength > 0, rule < .max else { return }
        let stream = unsafe stream(of: flow, step.toServer)
        for i in 0..<4 {
            let other = unsafe stream.pointee.pending[i]
            if other == rule + 1 { return }
            guard other == 0 else { continue }
            unsafe stream.pointee.pending[i] = rule + 1
            return
        }
        unsafe stream.pointee.flags.insert(.scansAgain)
    }

    /// Has what is kept of the stream looked at again with the step's window.
    public mutating func scanAgain(_ step: @_addressable FlowStep) {
        guard let flow = unsafe step.flow else { return }
        unsafe stream(of: flow, step.toServer).pointee.flags.insert(.scansAgain)
    }

    /// To be called when a step's window was scanned: who is too late is remembered anew.
    public mutating func endScan(_ step: @_addressable FlowStep) {
        // Other readings of the window follow.
        guard step.reading == 0, let flow = unsafe step.flow else { return }
        unsafe stream(of: flow, step.toServer).pointee.flags.remove(.scansAgain)
    }
}
