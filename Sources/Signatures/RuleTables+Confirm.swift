import Wire

extension RuleTables {
    /// The group that lookup `index` finds for a packet; 0 for none.
    @inline(__always)
    func group(_ packet: @_addressable Packet, lookups index: Int, _ subject: Subject) -> Int {
        let lookup = unsafe lookups + index
        if unsafe lookup.pointee.addressesOnly && !subject.asksAddresses { return 0 }
        switch unsafe lookup.pointee.key {
        case .none: return unsafe Int(lookup.pointee.group)
        case .destination:
            guard subject.hasUpperHeader else { return 0 }
            return unsafe Int(portGroups[Int(lookup.pointee.table) &+ Int(packet.destinationPort)])
        case .source:
            guard subject.hasUpperHeader else { return 0 }
            return unsafe Int(portGroups[Int(lookup.pointee.table) &+ Int(packet.sourcePort)])
        case .sourceAddress: return unsafe group(lookup, of: packet.source)
        case .destinationAddress: return unsafe group(lookup, of: packet.destination)
        }
    }

    /// The last record that begins at or below the address; the first begins at 0.
    private func group(_ lookup: UnsafePointer<Lookup>, of address: Address) -> Int {
        let table = unsafe addressGroups + Int(lookup.pointee.table)
        var low = 0
        var high = unsafe Int(lookup.pointee.count)
        while high &- low > 1 {
            let middle = (low &+ high) >> 1
            if unsafe address < table[middle].low { high = middle } else { low = middle }
        }
        return unsafe Int(table[low].group)
    }

    /// Ports and addresses.
    @inline(__always)
    func endpointsMatch(_ entry: UnsafePointer<Entry>, _ packet: @_addressable Packet, _ subject: Subject) -> Bool {
        guard unsafe entry.pointee.ipVersion == 0 || entry.pointee.ipVersion == packet.ipVersion else {
            return false
        }
        if unsafe entry.pointee.traits.contains(.upperHeader) {
            guard subject.hasUpperHeader, unsafe holds(packet.destinationPort, entry.pointee.destinationPorts),
                unsafe holds(packet.sourcePort, entry.pointee.sourcePorts)
            else { return false }
        }
        return unsafe holds(packet.source, entry.pointee.source)
            && holds(packet.destination, entry.pointee.destination)
    }

    @inline(__always)
    private func holds(_ port: UInt16, _ run: Run) -> Bool {
        guard run.count != 0 else { return true }
        var low = run.lower
        var high = run.upper
        while low < high {
            let middle = (low &+ high) >> 1
            let range = unsafe portRanges[middle]
            if port > range.high {
                low = middle &+ 1
            } else if port < range.low {
                high = middle
            } else {
                return true
            }
        }
        return false
    }

    @inline(__always)
    func holds(_ address: Address, _ run: Run) -> Bool {
        guard run.count != 0 else { return true }
        var low = run.lower
        var high = run.upper
        while low < high {
            let middle = (low &+ high) >> 1
            let range = unsafe addressRanges[middle]
            if range.high < address {
                low = middle &+ 1
            } else if address < range.low {
                high = middle
            } else {
                return true
            }
        }
        return false
    }
}
