import Wire

extension Family {
    /// An IP packet of this family, cut into fragments before the bytes of its payload that `places` name, which
    /// are multiples of 8.
    func fragments(of packet: [UInt8], at places: [Int], identification: Int = 1) -> [[UInt8]] {
        let header = packet.prefix(headerSize)
        let payload = Array(packet.dropFirst(headerSize))
        let ends = places + [payload.count]
        return zip([0] + places, ends).map { start, end in
            piece(header, payload[start..<end], offset: start, more: end < payload.count, identification)
        }
    }

    /// One fragment with this header's addresses.
    func piece(
        _ header: ArraySlice<UInt8>, _ data: ArraySlice<UInt8>, offset: Int, more: Bool, _ identification: Int = 1
    ) -> [UInt8] {
        var header = Array(header)
        switch self {
        case .v4:
            header.replaceSubrange(
                2..<8,
                with: big16(20 + data.count) + big16(identification)
                    + big16(offset / 8 | (more ? 0x2000 : 0)))
            return sealed(header) + data
        case .v6:
            let next = header[6]
            header.replaceSubrange(4..<6, with: big16(8 + data.count))
            header[6] = 44
            return header + [next, 0] + big16(offset | (more ? 1 : 0)) + big32(identification) + data
        }
    }
}

/// An IPv4 header of 20 bytes, and what follows it, with the right checksum.
func sealed(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    packet.replaceSubrange(10..<12, with: [0, 0])
    var sum = InternetChecksum()
    unsafe sum.add(packet.span.bytes.extracting(0..<20))
    packet.replaceSubrange(10..<12, with: big16(Int(sum.value)))
    return packet
}
