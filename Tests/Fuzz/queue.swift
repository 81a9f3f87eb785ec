import Evidence
import Intake
import Wire

@testable import struct Intake.QueuedPacket

/// A netlink message of the queue. The first byte says whether the socket cut it.
@c(LLVMFuzzerTestOneInput)
public func fuzzQueue(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Input(start, count)
    return input.withRest { message in
        guard let packet = QueuedPacket(message: message, time: 1, truncated: input.control & 1 != 0) else { return 0 }
        precondition(packet.payload.byteCount <= message.byteCount)
        precondition(input.control & 1 == 0 || packet.isCut)
        let decoded = Decoder.decode(packet.payload, as: packet.link, capturedShort: packet.isCut)
        checkSoundness(decoded, byteCount: packet.payload.byteCount)
        return 0
    }
}
