import Wire

/// Traps unless what must hold of every packet holds of this one.
func checkSoundness(_ packet: Packet, byteCount: Int) {
    let inside = 0...Int32(byteCount)
    precondition(inside.contains(packet.networkOffset) && inside.contains(packet.transportOffset))
    precondition(inside.contains(packet.payloadOffset) && packet.payloadLength >= 0)
    precondition(inside.contains(packet.payloadOffset + packet.payloadLength))
    precondition(packet.kind != .malformed || !packet.anomalies.isEmpty)
    precondition(packet.anomalies.rawValue >> UInt64(Anomalies.count) == 0)
}
