import Wire

/// Traps unless what must hold of every packet holds of this one.
func checkSoundness(_ packet: Packet, byteCount: Int) {
    let inside = 0...Int32(byteCount)
    precondition(inside.contains(packet.networkOffset) && inside.contains(packet.transportOffset))
    precondition(inside.contains(packet.payloadOffset) && packet.payloadLength >= 0)
    precondition(inside.contains(packet.payloadOffset + packet.payloadLength))
    precondition(packet.tunnel == .none || inside.contains(packet.innerOffset))
    precondition(packet.tunnel == .none || packet.innerOffset <= packet.payloadOffset + packet.payloadLength)
    for header in [packet.linkHeader, packet.networkHeader, packet.transportHeader] {
        precondition(header.isEmpty || (0...byteCount).contains(header.upperBound))
    }
    precondition(packet.vlanCount <= 3 && packet.layerCount <= Decoder.layerLimit)
    precondition(packet.kind != .malformed || !packet.anomalies.isEmpty)
    precondition(packet.anomalies.rawValue >> UInt64(Anomalies.count) == 0)
}
