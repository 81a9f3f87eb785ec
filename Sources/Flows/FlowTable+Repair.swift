import Glibc
public import Wire

/// What is said of a segment that contradicts its stream, if it is said of what its receiver has.
extension FlowTable {
    /// Inline: writes over the payload of a refused packet, in a copy of its bytes, what came first at its place.
    /// If all of it is known, the step's window is what it would be for the segment as it was then. Returns false
    /// if nothing was written. The packet stays refused.
    public mutating func repair(
        _ packet: @_addressable Packet, _ bytes: UnsafeMutableRawBufferPointer, _ step: inout FlowStep
    ) -> Bool {
        let start = Int(packet.transportOffset)
        let offset = Int(packet.payloadOffset)
        let length = Int(packet.payloadLength)
        guard let flow = unsafe step.flow, step.mustDrop, length > 0, start >= 0, offset >= start + 20,
            offset + length <= bytes.count, let base = bytes.baseAddress
        else { return false }
        let stream = unsafe stream(of: flow, step.toServer)
        let number = unsafe UInt32(bigEndian: base.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self))
        let sequence = number &+ (packet.tcpFlags.contains(.syn) ? 1 : 0)
        let payload = unsafe (base + offset).assumingMemoryBound(to: UInt8.self)
        let known = unsafe overlay(payload, length, at: sequence, stream)
        guard known > 0 else { return false }
        if known == length {
            unsafe add(Segment(sequence: sequence, bytes: payload, length: length), to: stream, &step)
            step.mustDrop = true
        }
        return true
    }

    /// Returns how many bytes are known.
    private func overlay(
        _ payload: UnsafeMutablePointer<UInt8>, _ length: Int, at sequence: UInt32,
        _ stream: UnsafeMutablePointer<TCPStream>
    ) -> Int {
        let place = unsafe Int(Int32(bitPattern: sequence &- stream.pointee.inspected))
        var count = 0
        /// What is known from `low` to `high`, counted from the first byte that was not inspected.
        func put(_ bytes: UnsafePointer<UInt8>, _ low: Int, _ high: Int) {
            let from = max(low, place)
            let upTo = min(high, place + length)
            guard from < upTo else { return }
            unsafe memcpy(payload + from - place, bytes + from - low, upTo - from)
            count += upTo - from
        }
        let block = unsafe stream.pointee.history
        if block != 0 {
            let unbroken = unsafe streams.history(block).pointee.unbroken
            let start = unsafe streams.bytes(ofHistory: block) + Int(streams.history(block).pointee.beforeGap)
            unsafe put(start, -unbroken, 0)
        }
        var index = unsafe stream.pointee.held
        while index != 0 {
            let piece = unsafe streams.piece(index)
            let low = unsafe Int(Int32(bitPattern: piece.pointee.sequence &- stream.pointee.inspected))
            unsafe put(streams.bytes(ofPiece: index), low, low + Int(piece.pointee.length))
            index = unsafe piece.pointee.next
        }
        return count
    }
}
