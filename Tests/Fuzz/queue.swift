import Evidence
import Wire

@testable import Intake

/// Of the inputs before, as a queue has them of the messages before.
nonisolated(unsafe) private var known = AttributeLayouts()

/// A netlink message of the queue. The first byte says whether the socket cut it.
@c(LLVMFuzzerTestOneInput)
public func fuzzQueue(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Input(start, count)
    return input.withRest { message in
        let isCut = input.control & 1 != 0
        var (layouts, arrival, again) = (AttributeLayouts(), Arrival(time: 1), Arrival(time: 1))
        let second = unsafe QueuedPacket(message, truncated: isCut, &known, into: &again)
        guard let packet = QueuedPacket(message, truncated: isCut, &layouts, into: &arrival) else {
            precondition(second == nil)
            return 0
        }
        precondition(second?.payload.byteOffsets == packet.payload.byteOffsets)
        precondition(packet.payload.byteCount <= message.byteCount)
        precondition(input.control & 1 == 0 || packet.isCut)
        let decoded = Decoder.decode(packet.payload, as: packet.link, capturedShort: packet.isCut)
        checkSoundness(decoded, byteCount: packet.payload.byteCount)
        return 0
    }
}
