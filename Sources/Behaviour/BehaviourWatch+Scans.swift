import Evidence
import Sketches
import Wire

/// Questions asked in vain, and what they add up to.
extension BehaviourWatch {
    /// How long a scan is waited for before it is told of, and how long after its last probe others that do the same
    /// at the same host are taken to be its decoys.
    private static let gathering: UInt64 = 1_000_000_000
    private static let joining: UInt64 = 2_000_000_000
    /// Questions that wait for an answer and make a decoy of who asks them.
    private static let decoyed = 5
    /// As many sources that scan a host alike at once are one scan.
    private static let crowd = 3
    /// Nanoseconds without an answer from outside after which the way there is taken to be down.
    private static let quiet: UInt64 = 300_000_000_000

    /// Whether `time` is more than `span` nanoseconds behind `start`. Times come from captures, and may be any.
    func isOver(_ start: UInt64, _ span: UInt64, at time: UInt64) -> Bool { time > start && time - start > span }

    /// Nobody answered. Where nobody outside answers anybody, that says nothing.
    func fail(_ record: PendingRecord) {
        let isOutward = guest(record.key.server) == nil
        guard !isOutward || isOver(lastOutsideAnswer, BehaviourWatch.quiet, at: record.time) == false else { return }
        fail(record.key, record.probe, isFragmented: record.isFragmented, time: record.time)
    }

    /// It was refused, or given up half-way.
    func fail(_ contact: Contact, isRefused: Bool) {
        if isRefused, guest(contact.server) == nil { lastOutsideAnswer = max(lastOutsideAnswer, contact.time) }
        let key = Asking(contact)
        guard let place = unsafe pending.find(key) else { return }
        let probe = unsafe place.pointee.probe
        // Load balancers' checks reset what was answered before they acknowledge it; they ask as an operating system
        // does, which scanners that do so do not (`rawSYN`).
        if !isRefused, probe == .syn {
            unsafe pending.remove(place)
            return creditSuccess(contact)
        }
        let isFragmented = unsafe place.pointee.isFragmented
        unsafe pending.remove(place)
        fail(key, probe, isFragmented: isFragmented, time: contact.time)
    }

    private func fail(_ key: Asking, _ probe: Probe, isFragmented: Bool, time: UInt64) {
        // What worked before is down, and not looked for.
        guard let kind = BehaviourKind(probe), unsafe peers.find(key) == nil else { return }
        let server = guest(key.server)
        guard let concerned = guest(key.client) ?? server else { return }
        guard guests[concerned].settings[kind].action != .off || server.map({ isWatched(kind, at: $0) }) == true
        else { return }
        let failure = SourceRecord.Failure(
            host: key.server, service: key.service, kind: kind.rawValue, isFragmented: isFragmented,
            isGuest: server != nil, second: UInt32(truncatingIfNeeded: max(1, time / 1_000_000_000)))
        let source = unsafe source(key.client)
        let isNew = unsafe source.pointee.fail(failure)
        if unsafe source.pointee.open > 0, goOn(kind, key, isFragmented: isFragmented, time: time) { return }
        guard isNew, let shape = unsafe source.pointee.judge(failure) else { return }
        if join(kind, key, time: time) { return }
        unsafe open(kind, shape, key, source, concerned: concerned, time: time)
    }

    private func isWatched(_ kind: BehaviourKind, at guest: Int) -> Bool { guests[guest].settings[kind].action != .off }

    func source(_ address: Address) -> UnsafeMutablePointer<SourceRecord> {
        if let place = unsafe records.find(address) { return unsafe place }
        var record = SourceRecord(address)
        record.lastSecond = UInt32(truncatingIfNeeded: max(1, now / 1_000_000_000))
        return unsafe records.insert(record).place
    }

    /// One more of a scan that is open.
    private func goOn(_ kind: BehaviourKind, _ key: Asking, isFragmented: Bool, time: UInt64) -> Bool {
        guard let index = open.firstIndex(where: { $0.kind == kind && $0.actors.contains(key.client) }) else {
            return false
        }
        if open[index].target != key.server {
            open[index].target = nil
            if open[index].shape == .ports || open[index].shape == .slowPorts { open[index].shape = .hostsAndPorts }
        }
        count(key, isFragmented: isFragmented, time: time, at: index)
        if open[index].due == 0 { refuse(open[index], at: [key.server]) }
        return true
    }

    private func count(_ key: Asking, isFragmented: Bool, time: UInt64, at index: Int) {
        open[index].note(key.server, key.service)
        open[index].attempts &+= 1
        if isFragmented { open[index].fragmented &+= 1 }
        open[index].last = max(open[index].last, time)
        guard let sketch = open[index].sketch else { return }
        sketches.add(memory.secret.hash(key.server), to: 2 * sketch)
        let service = UInt64(key.service.ipProtocol) << 16 | UInt64(key.service.port)
        sketches.add(memory.secret.hash(Address.none, service), to: 2 * sketch + 1)
    }

    /// Another source that does what several do to the same host: it is one of a crowd that was told of.
    private func join(_ kind: BehaviourKind, _ key: Asking, time: UInt64) -> Bool {
        let index = open.firstIndex {
            $0.kind == kind && $0.target == key.server && $0.actorCount >= BehaviourWatch.crowd
                && !isOver($0.last, BehaviourWatch.joining, at: time)
        }
        guard let index else { return false }
        add(key.client, to: index)
        return true
    }

    private func open(
        _ kind: BehaviourKind, _ shape: ScanShape, _ key: Asking, _ source: UnsafeMutablePointer<SourceRecord>,
        concerned: Int, time: UInt64
    ) {
        guard open.count < BehaviourWatch.openLimit else { return countUnreported() }
        let isFromGuest = guest(key.client) != nil
        // What made it one came before, in the record.
        var seen: [SourceRecord.Failure] = []
        for index in 0..<(unsafe Int(source.pointee.count)) {
            let failure = unsafe source.pointee.failures[index]
            let belongs =
                switch shape {
                case .ports, .slowPorts: failure.host == key.server
                case .hosts: failure.service == key.service
                case .hostsAndPorts: true
                }
            if failure.kind == kind.rawValue, failure.second != 0, belongs { seen.append(failure) }
        }
        seen.sort { $0.second < $1.second }
        let first = seen.first.map { UInt64($0.second) * 1_000_000_000 } ?? time
        var finding = OpenFinding(
            nextIdentifier, kind, actor: key.client,
            target: shape == .ports || shape == .slowPorts ? key.server : nil, guest: concerned,
            isFromGuest: isFromGuest, first: min(first, time), last: time, due: time &+ BehaviourWatch.gathering)
        nextIdentifier &+= 1
        finding.shape = shape
        finding.sketch = freeSketches.popLast()
        if let sketch = finding.sketch {
            sketches.clear(2 * sketch)
            sketches.clear(2 * sketch + 1)
        }
        open.append(finding)
        for failure in seen {
            count(
                Asking(client: key.client, server: failure.host, service: failure.service),
                isFragmented: failure.isFragmented, time: time, at: open.count - 1)
        }
        unsafe source.pointee.open += 1
    }

    /// Those whose probes of the same kind wait for an answer at the target of a scan, where others that are really
    /// there were refused at once: what is answered to a made-up address gets nowhere.
    func addSilent(_ index: Int) {
        guard open[index].kind.isScan, let target = open[index].target else { return }
        var waiting: [Address: Int] = [:]
        unsafe pending.sweep { place in
            let record = unsafe place.pointee
            // What was asked before is of another.
            if record.key.server == target, BehaviourKind(record.probe) == open[index].kind,
                record.time >= open[index].first
            {
                waiting[record.key.client, default: 0] += 1
            }
            return true
        }
        let others = waiting.filter {
            $0.value >= BehaviourWatch.decoyed && !open[index].actors.contains($0.key)
        }.keys.sorted()
        guard open[index].actorCount + others.count >= BehaviourWatch.crowd else { return }
        for other in others { add(other, to: index) }
    }

    private func add(_ address: Address, to index: Int) {
        open[index].actorCount += 1
        guard open[index].actors.count < OpenFinding.samples else { return }
        open[index].actors.append(address)
        unsafe source(address).pointee.open += 1
    }

    /// Sources that began to scan the same host alike while one was waited for are one finding.
    func gather() {
        var index = 0
        while index < open.count {
            let finding = open[index]
            defer { index += 1 }
            guard finding.kind.isScan, finding.due != 0, let target = finding.target else { continue }
            let alike = open.indices.filter {
                $0 > index && open[$0].kind == finding.kind && open[$0].target == target && open[$0].due != 0
                    && !isOver(open[$0].last, BehaviourWatch.gathering, at: finding.first)
                    && !isOver(finding.last, BehaviourWatch.gathering, at: open[$0].first)
            }
            guard alike.count + 1 >= BehaviourWatch.crowd else { continue }
            for other in alike.reversed() {
                let joined = open.remove(at: other)
                if let sketch = joined.sketch { freeSketches.append(sketch) }
                open[index].actorCount += joined.actorCount
                let room = OpenFinding.samples - open[index].actors.count
                open[index].actors += joined.actors.prefix(room)
                open[index].attempts &+= joined.attempts
                for actor in joined.actors.dropFirst(room) {
                    if let record = unsafe records.find(actor), unsafe record.pointee.open > 0 {
                        unsafe record.pointee.open -= 1
                    }
                }
            }
        }
    }
}
