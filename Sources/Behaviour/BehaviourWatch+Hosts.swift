import Evidence
import Wire

/// What guests do, and what they never did.
extension BehaviourWatch {
    private func second(_ time: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: max(1, time / 1_000_000_000)) }

    /// The record of a guest's host.
    private func host(_ address: Address, _ time: UInt64) -> UnsafeMutablePointer<HostRecord> {
        if let place = unsafe hosts.find(address) {
            unsafe place.pointee.advance(to: second(time))
            return unsafe place
        }
        return unsafe hosts.insert(HostRecord(address, second: second(time))).place
    }

    private func hasLearned(_ host: UnsafeMutablePointer<HostRecord>, _ time: UInt64) -> Bool {
        unsafe UInt64(second(time)) >= UInt64(host.pointee.first) + UInt64(options.learning)
    }

    func countBegun(_ contact: Contact, guest: Int) {
        let host = unsafe host(contact.client, contact.time)
        if unsafe host.pointee.count(begun: true, second(contact.time)) { flood(contact, guest: guest) }
    }

    /// Two hosts talk: what they asked for is no longer waited for, and they know each other.
    func establish(_ contact: Contact) {
        let key = Asking(contact)
        if let place = unsafe pending.find(key) { unsafe pending.remove(place) }
        let (client, server) = (guest(contact.client), guest(contact.server))
        if client != nil, server == nil { lastOutsideAnswer = max(lastOutsideAnswer, contact.time) }
        if server != nil || client != nil {
            if let known = unsafe peers.find(key) {
                if unsafe isOver(known.pointee.last, 3_600_000_000_000, at: contact.time) { creditSuccess(contact) }
                if unsafe known.pointee.connect(contact.time), server == nil, let client {
                    beacon(contact, guest: client, period: unsafe known.pointee.period)
                }
            } else {
                creditSuccess(contact)
                var record = PeerRecord(key, isOutside: client == nil || server == nil, time: contact.time)
                _ = record.connect(contact.time)
                _ = unsafe peers.insert(record)
                if let client { meet(contact, guest: client, isGuest: server != nil) }
            }
        }
        if let client {
            let host = unsafe host(contact.client, contact.time)
            _ = unsafe host.pointee.count(begun: false, second(contact.time))
            // Names, time and addresses are asked for by everybody.
            if contact.ipProtocol == IPProtocol.tcp { play(&(unsafe host.pointee), isClient: true, contact, client) }
        }
        if let server, contact.ipProtocol == IPProtocol.tcp || contact.serverPort != 0 && contact.serverPort < 32_768 {
            let host = unsafe host(contact.server, contact.time)
            play(&(unsafe host.pointee), isClient: false, contact, server)
        }
    }

    /// Only first meetings count: who talks to the same again and again proves nothing by it.
    func creditSuccess(_ contact: Contact) {
        unsafe source(contact.client).pointee.succeed(
            contact.server, contact.service, second: second(contact.time))
    }

    /// A guest meets a peer or a service that it did not know.
    private func meet(_ contact: Contact, guest: Int, isGuest: Bool) {
        let host = unsafe host(contact.client, contact.time)
        let learned = unsafe hasLearned(host, contact.time)
        let now = second(contact.time)
        unsafe host.pointee.peers.add(contact.server)
        if learned, unsafe host.pointee.peers.isOdd(HostRecord.newPeers, now) {
            let count = unsafe host.pointee.peers.count
            once(.newPeers, contact, guest, attempts: UInt64(count), peers: unsafe host.pointee.peers.addresses)
        }
        if unsafe host.pointee.use(contact.service) {
            unsafe host.pointee.uses.add(contact.server)
            if learned, unsafe host.pointee.uses.isOdd(HostRecord.newServices, now) {
                let count = unsafe host.pointee.uses.count
                once(.newServices, contact, guest, attempts: UInt64(count), peers: unsafe host.pointee.uses.addresses)
            }
        }
        guard isGuest else { return }
        let pair = PairRecord.Key(contact.client, contact.server)
        if let known = unsafe pairs.find(pair) {
            unsafe known.pointee.lastSecond = now
        } else {
            _ = unsafe pairs.insert(PairRecord(key: pair, lastSecond: now))
            if learned { once(.newPair, contact, guest, target: contact.server) }
        }
    }

    /// A host is a client or a server. The first time that it is what it never was is told of.
    private func play(_ host: inout HostRecord, isClient: Bool, _ contact: Contact, _ guest: Int) {
        let (was, other) = isClient ? (host.isClient, host.isServer) : (host.isServer, host.isClient)
        if isClient { host.isClient = true } else { host.isServer = true }
        guard !was, other, UInt64(second(contact.time)) >= UInt64(host.first) + UInt64(options.learning) else { return }
        once(
            .roleChange, contact, guest, actor: isClient ? contact.client : contact.server,
            target: isClient ? contact.server : contact.client)
    }

    private func beacon(_ contact: Contact, guest: Int, period: UInt64) {
        // Clocks are asked at a period.
        if contact.ipProtocol == IPProtocol.udp, [53, 67, 123, 547].contains(contact.serverPort) { return }
        once(.beacon, contact, guest, target: contact.server, period: period * 1_000_000)
    }

    /// Something that is a moment.
    private func once(
        _ kind: BehaviourKind, _ contact: Contact, _ guest: Int, actor: Address? = nil, target: Address? = nil,
        attempts: UInt64 = 1, peers: [Address] = [], period: UInt64 = 0
    ) {
        guard guests[guest].settings[kind].action != .off else { return }
        var finding = OpenFinding(
            nextIdentifier, kind, actor: actor ?? contact.client, target: target, guest: guest, isFromGuest: true,
            first: contact.time, last: contact.time, due: 0)
        nextIdentifier &+= 1
        finding.note(target ?? contact.server, contact.service)
        finding.attempts = attempts
        if !peers.isEmpty { finding.peers = peers }
        finding.period = period
        raised[Int(kind.rawValue)] &+= 1
        refuse(finding, at: [])
        events.append(event(finding, .once, max(now, contact.time)))
    }

    // MARK: - Connections that end, and floods

    func end(_ contact: Contact) {
        let peer = unsafe peers.find(Asking(contact))
        unsafe peer?.pointee.end(contact)
        let spoken = unsafe peer?.pointee.loginKind
        guard let form = spoken.flatMap({ LoginForm($0) }) ?? LoginForm(contact.service), form.fits(contact)
        else { return }
        guard let concerned = guest(contact.server) ?? guest(contact.client),
            guests[concerned].settings[form.kind].action != .off
        else { return }
        let key = Asking(contact)
        let place =
            unsafe attempts.find(key)
            ?? attempts.insert(LoginRecord(key, second: second(contact.time))).place
        let isMany = unsafe place.pointee.add(second(contact.time))
        if unsafe place.pointee.isOpen {
            if let index = open.firstIndex(where: { isSame($0, form.kind, contact) }) {
                open[index].attempts &+= 1
                open[index].last = max(open[index].last, contact.time)
                refuse(open[index], at: [contact.server])
                return
            }
            unsafe place.pointee.isOpen = false
        }
        guard isMany else { return }
        unsafe place.pointee.isOpen = begin(
            form.kind, contact, concerned, attempts: UInt64(LoginRecord.limits[0].count))
    }

    private func isSame(_ finding: OpenFinding, _ kind: BehaviourKind, _ contact: Contact) -> Bool {
        finding.kind == kind && finding.target == contact.server && finding.actors == [contact.client]
            && finding.services == [contact.service]
    }

    /// What a client pours out without an answer, fast.
    func pour(_ contact: Contact) {
        guard let guest = guest(contact.client), contact.time > contact.started else { return }
        let rate = UInt64(contact.packetsToServer) * 1_000_000_000 / (contact.time - contact.started)
        if rate >= HostRecord.floodRate, contact.packetsToServer >= 1 << 13 {
            flood(contact, guest: guest, packets: UInt64(contact.packetsToServer))
        }
    }

    private func flood(_ contact: Contact, guest: Int, packets: UInt64 = 1) {
        if let index = open.firstIndex(where: { $0.kind == .outwardFlood && $0.actors == [contact.client] }) {
            open[index].note(contact.server, contact.service)
            if open[index].target != contact.server { open[index].target = nil }
            open[index].attempts = max(open[index].attempts &+ 1, packets)
            open[index].last = max(open[index].last, contact.time)
            return
        }
        guard guests[guest].settings[.outwardFlood].action != .off else { return }
        _ = begin(.outwardFlood, contact, guest, attempts: packets)
    }

    /// Opens a finding that goes on.
    private func begin(_ kind: BehaviourKind, _ contact: Contact, _ concerned: Int, attempts: UInt64) -> Bool {
        guard open.count < BehaviourWatch.openLimit else {
            countUnreported()
            return false
        }
        var finding = OpenFinding(
            nextIdentifier, kind, actor: contact.client, target: contact.server, guest: concerned,
            isFromGuest: guest(contact.client) != nil, first: contact.started, last: contact.time, due: contact.time)
        nextIdentifier &+= 1
        finding.note(contact.server, contact.service)
        finding.attempts = attempts
        open.append(finding)
        return true
    }
}
