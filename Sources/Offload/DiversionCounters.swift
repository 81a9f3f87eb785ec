import CNetfilter

/// The kernel's own counters of the diversion, since the rules were first installed; refilling the rules
/// keeps them.
public struct DiversionCounters: Sendable, Equatable {
    public struct Count: Sendable, Equatable {
        public var packets: UInt64 = 0
        /// Bytes from the IP header on.
        public var bytes: UInt64 = 0
    }

    /// Handed to the queues, whether or not anybody was bound to them.
    public var diverted = Count()
    /// Not diverted, because excluded, or not among what alone is to be.
    public var excluded = Count()
    /// Dropped by the kernel's rule, because neither IPv4 nor IPv6.
    public var nonIPDropped = Count()
    /// Dropped by the kernel because of a flood, before the queues.
    public var floodDropped = Count()

    /// One netlink dump; a few microseconds. nil when no rules of ours are installed.
    static func read() throws(OffloadError) -> DiversionCounters? {
        let socket = try NetlinkSocket.open()
        var request = NetlinkMessages()
        request.add(.nfTables(Int(NFT_MSG_GETOBJ.rawValue)), flags: UInt16(NLM_F_DUMP)) {
            $0.put(Int(NFTA_OBJ_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_OBJ_TYPE.rawValue), bigEndian: UInt32(NFT_OBJECT_COUNTER))
        }
        var counters: DiversionCounters?
        for (family, object) in try socket.dump(request, "reading the counters of table \(Diversion.table)") {
            guard InstalledRules.Family(rawValue: family) != nil,
                object.string(NFTA_OBJ_TABLE.rawValue) == Diversion.table,
                let name = object.string(NFTA_OBJ_NAME.rawValue),
                let data = object.value(NFTA_OBJ_DATA.rawValue).map(NetlinkAttributes.init)
            else { continue }
            let count = Count(
                packets: data.number(NFTA_COUNTER_PACKETS.rawValue) ?? 0,
                bytes: data.number(NFTA_COUNTER_BYTES.rawValue) ?? 0)
            var sum = counters ?? DiversionCounters()
            switch name {
            case "diverted": sum.diverted = count
            // The inet backend has one for what the frame tells, and one for the rest.
            case "excluded":
                sum.excluded.packets += count.packets
                sum.excluded.bytes += count.bytes
            case "nonip_dropped": sum.nonIPDropped = count
            case "flood_dropped": sum.floodDropped = count
            default: continue
            }
            counters = sum
        }
        return counters
    }
}
