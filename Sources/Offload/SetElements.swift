import CNetfilter
import Wire

/// Elements of the kernel's sets, as a netlink dump gives them.
enum SetElements {
    /// The addresses in a set of the bridge family's table, and the packets that each counted.
    static func counters(of set: String) throws(OffloadError) -> [(address: Address, packets: UInt64)] {
        let socket = try NetlinkSocket.open()
        var request = NetlinkMessages()
        let family = InstalledRules.Family.bridge.rawValue
        request.add(.nfTables(Int(NFT_MSG_GETSETELEM.rawValue)), family: family, flags: UInt16(NLM_F_DUMP)) {
            $0.put(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_SET_ELEM_LIST_SET.rawValue), string: set)
        }
        var counts: [(address: Address, packets: UInt64)] = []
        for (_, list) in try socket.dump(request, "reading set \(set)") {
            guard let elements = list.value(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) else { continue }
            for (_, element) in NetlinkAttributes(elements) {
                let element = NetlinkAttributes(element)
                guard
                    let key = element.value(NFTA_SET_ELEM_KEY.rawValue).map(NetlinkAttributes.init)?
                        .value(NFTA_DATA_VALUE.rawValue), let address = address(key),
                    let counter = element.value(NFTA_SET_ELEM_EXPR.rawValue).map(NetlinkAttributes.init)?
                        .value(NFTA_EXPR_DATA.rawValue).map(NetlinkAttributes.init),
                    let packets = counter.number(NFTA_COUNTER_PACKETS.rawValue)
                else { continue }
                counts.append((address, packets))
            }
        }
        return counts
    }

    private static func address(_ bytes: ArraySlice<UInt8>) -> Address? {
        let word = { (bytes: ArraySlice<UInt8>) in bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: return Address(v4: UInt32(word(bytes)))
        case 16: return Address(high: word(bytes.prefix(8)), low: word(bytes.suffix(8)))
        default: return nil
        }
    }
}
