import Evidence
import Testing
import Topology
import Wire

private func guest(_ name: String, _ addresses: String...) -> Guest {
    Guest(name: name, addresses: addresses.map { Prefix($0)! })
}

private func address(_ text: String) -> Address { Address(text)! }

@Suite("Which addresses are protected, and by which slot")
struct HostTableTests {
    /// Ranges as "first-last guest".
    private func ranges(_ guests: [Guest]) -> [String] {
        AddressRange.flatten(guests).map { "\($0.first)-\($0.last) \($0.guest)" }
    }

    @Test(
        "Prefixes are flattened: the most specific wins",
        arguments: [
            ([guest("a", "10.0.0.5")], ["10.0.0.5-10.0.0.5 0"]),
            (
                [guest("net", "10.0.0.0/24"), guest("web", "10.0.0.5")],
                ["10.0.0.0-10.0.0.4 0", "10.0.0.5-10.0.0.5 1", "10.0.0.6-10.0.0.255 0"]
            ),
            // At the edges of the outer range nothing is left on one side.
            (
                [guest("net", "10.0.0.0/30"), guest("first", "10.0.0.0"), guest("last", "10.0.0.3")],
                ["10.0.0.0-10.0.0.0 1", "10.0.0.1-10.0.0.2 0", "10.0.0.3-10.0.0.3 2"]
            ),
            // Three deep.
            (
                [guest("a", "10.0.0.0/8"), guest("b", "10.1.0.0/16"), guest("c", "10.1.2.0/24")],
                [
                    "10.0.0.0-10.0.255.255 0", "10.1.0.0-10.1.1.255 1", "10.1.2.0-10.1.2.255 2",
                    "10.1.3.0-10.1.255.255 1", "10.2.0.0-10.255.255.255 0",
                ]
            ),
            // Of equal prefixes the first named.
            ([guest("a", "10.0.0.1"), guest("b", "10.0.0.1")], ["10.0.0.1-10.0.0.1 0"]),
            (
                [guest("six", "2001:db8::/126", "2001:db8::1")],
                ["2001:db8::-2001:db8:: 0", "2001:db8::1-2001:db8::1 0", "2001:db8::2-2001:db8::3 0"]
            ),
            // The last address there is.
            (
                [guest("end", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127")],
                [
                    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 0"
                ]
            ),
        ])
    func flatten(_ guests: [Guest], _ expected: [String]) {
        #expect(ranges(guests) == expected)
    }

    @Test("Each address of a small prefix has a slot of its own, and no other has one")
    func direct() {
        let table = HostTable([guest("net", "192.0.2.0/24"), guest("web", "192.0.2.7", "2001:db8::7")])
        var slots = Set<HostSlot>()
        for last in 0..<256 {
            let slot = table.view.slot(of: address("192.0.2.\(last)"))
            #expect(slot >= 0)
            #expect(table.view.guest(of: slot) == (last == 7 ? 1 : 0))
            #expect(table.address(of: Int(slot)) == address("192.0.2.\(last)"))
            slots.insert(slot)
        }
        slots.insert(table.view.slot(of: address("2001:db8::7")))
        #expect(slots.count == 257)
        #expect(table.slotCount == 257)
        for other in ["192.0.1.255", "192.0.3.0", "2001:db8::6", "2001:db8::8", "::", "255.255.255.255"] {
            #expect(table.view.slot(of: address(other)) < 0)
        }
        #expect(table.view.guest(of: -1) == -1)
    }

    @Test("No guests, no slots")
    func empty() {
        let table = HostTable([])
        #expect(table.slotCount == 0)
        #expect(table.view.slot(of: address("10.0.0.1")) < 0)
    }

    @Test("Hosts of a /64 claim slots; the same host the same one; the table stays as large as it was")
    func claimed() {
        let table = HostTable([guest("net", "2001:db8::/64")])
        #expect(table.slotCount == HostTable.directLimit + 1)
        #expect(table.address(of: 0) == nil)
        var slots: [HostSlot] = []
        for number in 0..<1000 {
            let host = Address(high: address("2001:db8::").high, low: UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
            let slot = table.view.slot(of: host)
            #expect(slot >= 0 && Int(slot) < table.slotCount)
            #expect(table.view.slot(of: host) == slot)
            if !table.isShared(Int(slot)) { #expect(table.address(of: Int(slot)) == host) }
            slots.append(slot)
        }
        // A thousand in 512 sets of eight: next to none share.
        #expect(Set(slots).count >= 990)
    }

    @Test("A full set sends further hosts to the shared slot, and a released one is taken again")
    func full() {
        let table = HostTable([guest("net", "10.0.0.0/8")])
        var shared = 0
        var own: [HostSlot] = []
        for number in 0..<20_000 {
            let slot = table.view.slot(of: Address(v4: 0x0A00_0000 + UInt32(number)))
            #expect(slot >= 0)
            if table.isShared(Int(slot)) { shared += 1 } else { own.append(slot) }
        }
        #expect(Set(own).count == own.count)
        #expect(own.count <= HostTable.directLimit)
        #expect(own.count > HostTable.directLimit * 9 / 10)
        #expect(shared == 20_000 - own.count)

        let freed = Int(own[0])
        let former = table.address(of: freed)!
        table.release(freed)
        #expect(table.address(of: freed) == nil)
        #expect(table.view.slot(of: former) == HostSlot(freed))
        // The slot that hosts share, and those of named addresses, are never free.
        let rest = (0..<table.slotCount).first(where: table.isShared)!
        table.release(rest)
        #expect(table.address(of: rest) != nil)
    }

    @Test("Workers that see a new host at the same moment agree on its slot")
    func race() async {
        for round in 0..<20 {
            let table = HostTable([guest("net", "10.0.0.0/8")])
            let view = table.view
            let seen = await withTaskGroup(of: [HostSlot].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        (0..<500).map { view.slot(of: Address(v4: 0x0A00_0000 + UInt32(round * 1000 + $0))) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for number in 0..<500 {
                // While it was being claimed a packet may have counted as shared; never as another host.
                let owned = Set(seen.map { $0[number] }.filter { !table.isShared(Int($0)) })
                #expect(owned.count <= 1)
                let slot = view.slot(of: Address(v4: 0x0A00_0000 + UInt32(round * 1000 + number)))
                if let only = owned.first { #expect(only == slot) }
            }
        }
    }

    @Test("Guests that come get spare slots; those that were there keep theirs, and what they claimed")
    func extending() throws {
        let first = HostTable([guest("web", "192.0.2.7"), guest("net", "10.0.0.0/8")], spare: 3)
        let (web, claimed) = (first.view.slot(of: address("192.0.2.7")), first.view.slot(of: address("10.1.2.3")))
        let guests = [guest("web", "192.0.2.7", "192.0.2.6"), guest("net", "10.0.0.0/8"), guest("new", "192.0.2.8")]
        let second = try #require(HostTable(extending: first, to: guests))
        #expect(second.slotCount == first.slotCount && second.continues(first))
        #expect(second.view.slot(of: address("192.0.2.7")) == web)
        #expect(second.view.slot(of: address("10.1.2.3")) == claimed)
        for (text, guest) in [("192.0.2.6", 0), ("192.0.2.8", 2)] {
            let slot = second.view.slot(of: address(text))
            #expect(slot >= 0 && second.view.guest(of: slot) == guest && second.address(of: Int(slot)) == address(text))
            // Nothing of it was there before.
            #expect(first.view.slot(of: address(text)) < 0)
        }
        // A host that is claimed in one is claimed in the other.
        let other = second.view.slot(of: address("10.9.9.9"))
        #expect(other >= 0 && first.view.slot(of: address("10.9.9.9")) == other)
        second.release(Int(other))
        #expect(first.address(of: Int(other)) == nil)

        // What moves to another guest gets another slot; the former one says whose it was.
        let moved = [guest("web", "192.0.2.6"), guest("net", "10.0.0.0/8"), guest("new", "192.0.2.8", "192.0.2.7")]
        let third = try #require(HostTable(extending: second, to: moved))
        let slot = third.view.slot(of: address("192.0.2.7"))
        #expect(slot != web && third.view.guest(of: slot) == 2 && third.view.guest(of: web) == 0)
        // What comes back has its own slot again.
        let fourth = try #require(HostTable(extending: third, to: guests))
        #expect(fourth.view.slot(of: address("192.0.2.7")) == web)
        // All are taken by now.
        #expect(HostTable(extending: third, to: moved + [guest("late", "192.0.2.9")]) == nil)
        // Others in the same places are no sequel.
        #expect(HostTable(extending: third, to: [guest("net", "10.0.0.0/8")] + moved.dropFirst()) == nil)
        #expect(HostTable(extending: first, to: [guest("web", "192.0.2.7")]) == nil)
    }
}
