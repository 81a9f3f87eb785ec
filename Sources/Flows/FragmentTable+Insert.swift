import Glibc
public import Wire

extension FragmentTable {
    /// Adds a fragment to its datagram. If that makes it whole, it is put together in buffer `buffer`.
    ///
    /// `bytes` is what the packet was decoded from. What the step refuses is not kept.
    public mutating func add(
        _ packet: @_addressable Packet, _ bytes: RawSpan, _ place: FragmentPlace, into buffer: Int
    ) -> FragmentStep {
        if packet.ipVersion == 6 { counters.ipv6Fragments &+= 1 } else { counters.ipv4Fragments &+= 1 }
        var step = FragmentStep()
        guard let fragment = packet.fragment(in: bytes), canBe(fragment, packet, bytes) else {
            counters.impossible &+= 1
            if mode.isInline { step.refusal = .forbidden }
            return step
        }
        let key = DatagramKey(
            source: packet.source, destination: packet.destination, identification: fragment.identification,
            vlan: place.vlan, domain: place.domain, ipProtocol: fragment.ipProtocol, ipVersion: packet.ipVersion)
        let index = find(key, fragment, place, &step)
        guard index != 0 else {
            if step.isIgnored { counters.noRoom &+= 1 }
            return step
        }
        unsafe bytes.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe insert(fragment, start, Int(packet.networkOffset), place, index, &step)
        }
        if step.overlaps { counters.overlaps &+= 1 }
        if step.isIgnored { counters.noRoom &+= 1 }
        guard step.isKept else { return step }
        touch(index)
        unsafe assemble(index, into: assembly + buffer * FragmentTable.assemblySize, &step)
        return step
    }

    /// Whether a host would take it. Not inline, what Suricata takes is taken.
    private func canBe(_ fragment: IPFragment, _ packet: @_addressable Packet, _ bytes: RawSpan) -> Bool {
        guard !fragment.data.isEmpty, fragment.end <= 65_535 else { return false }
        guard mode.isInline else {
            return packet.events.isDisjoint(with: DecodeEvents(.ipv4FragPktTooLarge))
        }
        guard packet.anomalies.isDisjoint(with: [.fragmentUneven, .fragmentTooLarge]) else { return false }
        guard packet.ipVersion == 4 else { return true }
        return IPv4Header(bytes.extracting(Int(packet.networkOffset)..<bytes.byteCount))?.hasValidChecksum ?? false
    }

    private mutating func insert(
        _ fragment: IPFragment, _ bytes: UnsafePointer<UInt8>, _ networkOffset: Int, _ place: FragmentPlace,
        _ index: UInt32, _ step: inout FragmentStep
    ) {
        let record = unsafe records + Int(index)
        let data = unsafe bytes + fragment.data.lowerBound
        let range = fragment.offset..<fragment.end
        let covered = unsafe coverage(of: range, in: record)
        step.overlaps = covered > 0
        if mode.isInline {
            guard unsafe isConsistent(fragment, data, covered, place, record) else {
                counters.contradictions &+= 1
                step.refusal = .forbidden
                // RFC 5722 §4: the whole datagram goes, with what is yet to come of it.
                if unsafe record.pointee.key.ipVersion == 6, covered > 0 { close(index) }
                return
            }
            if covered > 0 { unsafe record.pointee.isDoubtful = true }
        }
        unsafe record.pointee.lastTime = max(record.pointee.lastTime, place.time)
        guard covered < range.count || !mode.isInline else {
            // A host may take this one for the last, though it has the bytes.
            if !fragment.moreFragments {
                unsafe record.pointee.length = Int32(fragment.end)
                unsafe record.pointee.hasLast = true
            }
            step.isKept = true
            return
        }
        guard takeRoom(for: range, index), fragment.offset > 0 || takeHeader(fragment, index) else {
            return noRoom(&step)
        }
        let policy =
            mode.isInline ? .first : self.policy ?? FragmentOverlap.stock(unsafe record.pointee.key.ipVersion)
        let takes = unsafe merge(range, data, policy, record)
        step.isKept = true
        if fragment.offset == 0 { unsafe record.pointee.hasFirst = true }
        if !fragment.moreFragments { unsafe record.pointee.hasLast = true }
        // What nothing is taken of does not count: neither does it end the datagram.
        guard takes.count > 0 else { return }
        if takes.first, fragment.offset == 0 { unsafe keepHeader(fragment, bytes, networkOffset, record) }
        if !fragment.moreFragments {
            let known = unsafe record.pointee.length
            unsafe record.pointee.length = known < 0 ? Int32(fragment.end) : min(known, Int32(fragment.end))
        }
    }

    /// Inline: whether a fragment says nothing else than what came before.
    private func isConsistent(
        _ fragment: IPFragment, _ data: UnsafePointer<UInt8>, _ covered: Int, _ place: FragmentPlace,
        _ record: UnsafeMutablePointer<Datagram>
    ) -> Bool {
        guard unsafe record.pointee.card == place.card else { return false }
        let length = unsafe Int(record.pointee.length)
        if length >= 0 {
            guard fragment.moreFragments ? fragment.end < length : fragment.end == length else { return false }
        } else if !fragment.moreFragments, unsafe pools.highest(record) > fragment.end {
            return false
        }
        guard covered > 0 else { return true }
        if fragment.offset == 0, unsafe record.pointee.hasFirst {
            guard unsafe hasSameHeader(fragment, data - fragment.data.lowerBound, record) else { return false }
        }
        if covered < fragment.data.count, unsafe record.pointee.key.ipVersion == 6 { return false }
        var index = unsafe record.pointee.firstPiece
        while index != 0 {
            let piece = unsafe pools.piece(index).pointee
            let low = max(fragment.offset, Int(piece.start))
            let high = min(fragment.end, Int(piece.end))
            if low < high {
                let agrees = unsafe pools.agrees(record, low, data + (low - fragment.offset), count: high - low)
                guard agrees else { return false }
            }
            index = piece.next
        }
        return true
    }

    /// Whether a first fragment that came again would make the same of the datagram: its options, the headers
    /// before the data, and what the data is said to be.
    private func hasSameHeader(
        _ fragment: IPFragment, _ bytes: UnsafePointer<UInt8>, _ record: UnsafeMutablePointer<Datagram>
    ) -> Bool {
        guard unsafe fragment.headerLength == Int(record.pointee.headerLength),
            unsafe fragment.nextHeader == record.pointee.nextHeader
        else { return false }
        let size = unsafe record.pointee.key.ipVersion == 4 ? IPv4Header.minimumSize : IPv6Header.size
        let fixed = unsafe Int(record.pointee.networkOffset) + size
        let page = unsafe pools.page(record.pointee.headerPage)
        return unsafe memcmp(page + fixed, bytes + fixed, fragment.headerLength - fixed) == 0
    }

    /// How many bytes of a range are there.
    private func coverage(of range: Range<Int>, in record: UnsafeMutablePointer<Datagram>) -> Int {
        // What comes next in order is the common case.
        guard unsafe range.lowerBound < pools.highest(record) else { return 0 }
        var covered = 0
        var index = unsafe record.pointee.firstPiece
        while index != 0 {
            let piece = unsafe pools.piece(index).pointee
            guard Int(piece.start) < range.upperBound else { break }
            covered += max(0, min(range.upperBound, Int(piece.end)) - max(range.lowerBound, Int(piece.start)))
            index = piece.next
        }
        return covered
    }

    // MARK: - Room

    /// Takes the pages that a range lies on, and sees to it that there are pieces enough.
    private mutating func takeRoom(for range: Range<Int>, _ index: UInt32) -> Bool {
        let record = unsafe records + Int(index)
        // At worst one piece for each hole between those that are there, and one more for each that is split.
        let count = unsafe record.pointee.pieceCount
        guard count < pieceLimit, pools.piecesLeft >= 2 * Int(count) + 1 else { return false }
        let size = FragmentPools.pageSize
        for number in range.lowerBound / size...(range.upperBound - 1) / size {
            guard unsafe record.pointee.pages[number] == 0 else { continue }
            let page = takePage(for: index)
            guard page != 0 else { return false }
            unsafe record.pointee.pages[number] = page
        }
        return true
    }

    private mutating func takeHeader(_ fragment: IPFragment, _ index: UInt32) -> Bool {
        guard fragment.headerLength <= FragmentPools.pageSize else { return false }
        if unsafe records[Int(index)].headerPage != 0 { return true }
        let page = takePage(for: index)
        unsafe records[Int(index)].headerPage = page
        return page != 0
    }

    private func keepHeader(
        _ fragment: IPFragment, _ bytes: UnsafePointer<UInt8>, _ networkOffset: Int,
        _ record: UnsafeMutablePointer<Datagram>
    ) {
        unsafe memcpy(pools.page(record.pointee.headerPage), bytes, fragment.headerLength)
        unsafe record.pointee.headerLength = UInt16(fragment.headerLength)
        unsafe record.pointee.networkOffset = UInt16(networkOffset)
        unsafe record.pointee.nextHeaderOffset = UInt16(fragment.nextHeaderOffset)
        unsafe record.pointee.nextHeader = fragment.nextHeader
    }

    // MARK: - Bytes

    /// Takes the bytes of a range that are new, and those that the policy prefers to what is there. Returns how
    /// many those were, and whether the first was among them.
    private mutating func merge(
        _ range: Range<Int>, _ data: UnsafePointer<UInt8>, _ policy: FragmentOverlap,
        _ record: UnsafeMutablePointer<Datagram>
    ) -> (count: Int, first: Bool) {
        var count = 0
        var takesFirst = false
        var before: UInt32 = 0
        var index = unsafe record.pointee.firstPiece
        if unsafe range.lowerBound >= pools.highest(record) {
            before = unsafe record.pointee.lastPiece
            index = 0
        }
        var place = range.lowerBound
        while place < range.upperBound {
            while index != 0, unsafe Int(pools.piece(index).pointee.end) <= place {
                before = index
                index = unsafe pools.piece(index).pointee.next
            }
            let piece = unsafe pools.piece(index).pointee
            let start = index == 0 ? range.upperBound : min(Int(piece.start), range.upperBound)
            if place < start {
                // A hole.
                unsafe pools.write(record, place, data + (place - range.lowerBound), count: start - place)
                before = unsafe add(place..<start, of: range, behind: before, record)
                count += start - place
                if place == range.lowerBound { takesFirst = true }
                place = start
                // It may have become one with the next.
                index = before
                continue
            }
            let end = min(Int(piece.end), range.upperBound)
            if policy.takes(range, over: piece.sent) {
                unsafe pools.write(record, place, data + (place - range.lowerBound), count: end - place)
                before = unsafe replace(place..<end, of: range, in: index, behind: before, record)
                index = unsafe pools.piece(before).pointee.next
                count += end - place
                if place == range.lowerBound { takesFirst = true }
            }
            place = end
        }
        return (count, takesFirst)
    }

    /// Adds a piece behind another; returns its index, or that of the one which it became part of.
    private mutating func add(
        _ part: Range<Int>, of sent: Range<Int>, behind before: UInt32, _ record: UnsafeMutablePointer<Datagram>
    ) -> UInt32 {
        let next =
            before == 0 ? unsafe record.pointee.firstPiece : unsafe pools.piece(before).pointee.next
        if mode.isInline {
            // What is there stays, and who sent it no longer matters.
            let joinsBefore = unsafe before != 0 && Int(pools.piece(before).pointee.end) == part.lowerBound
            let joinsNext = unsafe next != 0 && Int(pools.piece(next).pointee.start) == part.upperBound
            if joinsBefore {
                unsafe pools.piece(before).pointee.end = UInt16(part.upperBound)
                if joinsNext {
                    unsafe pools.piece(before).pointee.end = pools.piece(next).pointee.end
                    unsafe unlink(next, behind: before, record)
                }
                return before
            }
            if joinsNext {
                unsafe pools.piece(next).pointee.start = UInt16(part.lowerBound)
                return next
            }
        }
        let index = pools.take(
            FragmentPools.Piece(
                start: UInt16(part.lowerBound), end: UInt16(part.upperBound), sentStart: UInt16(sent.lowerBound),
                sentEnd: UInt16(sent.upperBound), next: next))
        if before == 0 {
            unsafe record.pointee.firstPiece = index
        } else {
            unsafe pools.piece(before).pointee.next = index
        }
        if next == 0 { unsafe record.pointee.lastPiece = index }
        unsafe record.pointee.pieceCount += 1
        return index
    }

    /// Puts a part of piece `index`, which is behind `before`, into the hands of another fragment; returns the
    /// index of the new piece.
    private mutating func replace(
        _ part: Range<Int>, of sent: Range<Int>, in index: UInt32, behind before: UInt32,
        _ record: UnsafeMutablePointer<Datagram>
    ) -> UInt32 {
        var before = before
        let old = unsafe pools.piece(index).pointee
        if Int(old.start) < part.lowerBound {
            unsafe pools.piece(index).pointee.end = UInt16(part.lowerBound)
            before = index
        } else {
            unsafe unlink(index, behind: before, record)
        }
        let new = unsafe add(part, of: sent, behind: before, record)
        if part.upperBound < Int(old.end) {
            _ = unsafe add(part.upperBound..<Int(old.end), of: old.sent, behind: new, record)
        }
        return new
    }

    private mutating func unlink(
        _ index: UInt32, behind before: UInt32, _ record: UnsafeMutablePointer<Datagram>
    ) {
        let next = unsafe pools.piece(index).pointee.next
        if before == 0 {
            unsafe record.pointee.firstPiece = next
        } else {
            unsafe pools.piece(before).pointee.next = next
        }
        if next == 0 { unsafe record.pointee.lastPiece = before }
        unsafe record.pointee.pieceCount -= 1
        pools.release(piece: index)
    }
}
