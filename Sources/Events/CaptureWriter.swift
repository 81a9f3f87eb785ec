import Wire

/// Packets as a pcap file has them: nanoseconds, Ethernet (draft-ietf-opsawg-pcap §4 and §5).
enum CaptureWriter {
    /// In the writer's byte order, which readers tell by the magic number; ours is little-endian.
    static let header: [UInt8] =
        little32(0xA1B2_3C4D) + [2, 0, 4, 0] + little32(0) + little32(0) + little32(262_144) + little32(1)

    /// One packet. Where its bytes start behind the Ethernet header, one is made of what is known of it.
    static func record(_ entry: PacketRing.Entry, _ bytes: [UInt8]) -> [UInt8] {
        let link = linkHeader(entry, bytes)
        var record = little32(UInt32(truncatingIfNeeded: entry.time / 1_000_000_000))
        record += little32(UInt32(entry.time % 1_000_000_000))
        record += little32(UInt32(link.count + bytes.count))
        record += little32(UInt32(truncatingIfNeeded: link.count + Int(entry.length)))
        return record + link + bytes
    }

    /// The Ethernet header to stand before the bytes; empty where they begin with one.
    static func linkHeader(_ entry: PacketRing.Entry, _ bytes: [UInt8]) -> [UInt8] {
        guard entry.link != .ethernet else { return [] }
        let isV6 = bytes.first.map { $0 >> 4 == 6 } ?? false
        let type = entry.etherType != 0 ? entry.etherType : isV6 ? EtherType.ipv6 : EtherType.ipv4
        let tag = entry.hasTag ? [0x81, 0x00] + big16(entry.tag) : []
        return mac(entry.destinationMAC) + mac(entry.sourceMAC) + tag + big16(type)
    }

    private static func mac(_ address: UInt64) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * $0)) }
    }

    private static func big16(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }

    private static func little32(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }
}
