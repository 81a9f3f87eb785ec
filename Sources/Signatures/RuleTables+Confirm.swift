import Wire

extension RuleTables {
    /// The group that lookup `index` finds for a packet; 0 for none.
    @inline(__always)
    func group(_ packet: Packet, lookups index: Int, hasPorts: Bool) -> Int {
        let lookup = unsafe lookups[index]
        switch lookup.key {
        case .none: return Int(lookup.group)
        case .destination:
            guard hasPorts else { return 0 }
            return unsafe Int(portGroups[Int(lookup.table) &+ Int(packet.destinationPort)])
        case .source:
            guard hasPorts else { return 0 }
            return unsafe Int(portGroups[Int(lookup.table) &+ Int(packet.sourcePort)])
        }
    }

    @inline(__always)
    func insert(_ run: Run, into candidates: CandidateSet) {
        var i = run.lower
        while i < run.upper {
            unsafe candidates.insert(entryLists[i])
            i &+= 1
        }
    }

    /// Everything of an entry but its contents.
    func headerMatches(_ entry: UnsafePointer<Entry>, _ packet: Packet, _ subject: Subject) -> Bool {
        let checks = unsafe entry.pointee.checks
        guard unsafe subject.payloadLength >= entry.pointee.minimumPayload,
            unsafe entry.pointee.ipVersion == 0 || entry.pointee.ipVersion == packet.ipVersion
        else { return false }
        if checks.contains(.upperHeader) {
            guard subject.hasUpperHeader else { return false }
            if checks.contains(.flags) {
                guard packet.kind == .tcp,
                    unsafe entry.pointee.flags.matches(packet.tcpFlags.rawValue)
                else { return false }
            }
            if !checks.isDisjoint(with: [.icmpType, .icmpCode]) {
                guard packet.kind == .icmp || packet.kind == .icmp6,
                    unsafe !checks.contains(.icmpType)
                        || entry.pointee.icmpType.matches(Int32(packet.icmpType)),
                    unsafe !checks.contains(.icmpCode)
                        || entry.pointee.icmpCode.matches(Int32(packet.icmpCode))
                else { return false }
            }
            if checks.contains(.payloadSize) {
                guard unsafe entry.pointee.payloadSize.matches(subject.payloadLength) else { return false }
            }
            guard unsafe holds(packet.destinationPort, entry.pointee.destinationPorts),
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
    private func holds(_ address: Address, _ run: Run) -> Bool {
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
