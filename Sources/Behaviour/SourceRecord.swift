import Sketches
import Wire

/// What a source asked for in vain, and what it got: the last of either, as far as nobody had talked so before.
///
/// Who scans mostly fails, and who does not mostly succeeds (Jung, Paxson, Berger and Balakrishnan, "Fast portscan
/// detection using sequential hypothesis testing", 2004): so successes count against failures, but only at the
/// host or the port that is in question. A client that talks to the whole world by day is not excused for it.
struct SourceRecord: PlaceRecord {
    static var failuresKept: Int { 40 }
    static var successesKept: Int { 64 }
    /// Seconds.
    static var shortWindow: UInt32 { 300 }
    static var longWindow: UInt32 { 3_600 }
    /// Distinct ports of a host, of it within the short window, that make a scan; and hosts at one port: guests, whom
    /// few know, and others, of whom some are always gone.
    static var ports: (short: Int, long: Int) { (15, 25) }
    static var guestHosts: Int { 5 }
    static var outsideHosts: Int { 30 }
    /// Of hosts that were pinged for the first time, those that did not answer, and all. Most of those that a sweep
    /// finds answer, and more than three in four of those that a monitoring system knows.
    static var pinged: (silent: Int, all: Int) { (3, 10) }
    /// Other IP protocols of a host: few have any use.
    static var protocols: Int { 8 }

    /// A host and a service that a source asked for in vain. One of a kind.
    struct Failure: BitwiseCopyable {
        var host = Address.none
        var service = Service(ipProtocol: 0, port: 0)
        var kind: UInt8 = 0
        var isFragmented = false
        var isGuest = false
        /// Seconds since the epoch, of the last time; 0 for none.
        var second: UInt32 = 0
    }

    var key = Address.none
    /// Seconds since the epoch.
    var lastSecond: UInt32 = 0
    private var next: UInt16 = 0
    private(set) var count: UInt16 = 0
    private var nextSuccess: UInt16 = 0
    /// Findings about it that are open.
    var open: UInt16 = 0
    private(set) var failures = InlineArray<40, Failure>(repeating: Failure())
    /// A hash of the host, 32 bits; the port and the protocol's lower byte; seconds in units of 256, 8 bits.
    private var successes = InlineArray<64, UInt64>(repeating: 0)

    init(_ address: Address) { key = address }

    var isUsed: Bool { lastSecond != 0 }
    /// Those with an open finding stay; then whoever failed oftener, then whoever was seen later.
    var worth: UInt64 { UInt64(min(open, 1)) << 48 | UInt64(min(count, 255)) << 32 | UInt64(lastSecond) }
    static func hash(_ key: Address, _ secret: SecretHash) -> UInt64 { secret.hash(key) }

    /// What was told of is not told again: a scan of this kind begins anew.
    mutating func forget(_ kind: BehaviourKind) {
        for index in 0..<Int(count) where failures[index].kind == kind.rawValue { failures[index].second = 0 }
    }

    /// Takes in a failure. False if it was there already.
    mutating func fail(_ failure: Failure) -> Bool {
        lastSecond = max(lastSecond, failure.second)
        for index in 0..<Int(count) {
            let other = failures[index]
            if other.service == failure.service, other.host == failure.host, other.kind == failure.kind {
                let isForgotten = other.second == 0
                failures[index] = failure
                return isForgotten
            }
        }
        failures[Int(next)] = failure
        next = (next + 1) % UInt16(SourceRecord.failuresKept)
        count = min(count + 1, UInt16(SourceRecord.failuresKept))
        return true
    }

    mutating func succeed(_ host: Address, _ service: Service, second: UInt32) {
        lastSecond = max(lastSecond, second)
        // An answer that came late: it was no failure.
        for index in 0..<Int(count) where failures[index].host == host && failures[index].service == service {
            failures[index].second = 0
        }
        let success = SourceRecord.packed(host, service, second)
        // Who meets the same again and again proves nothing by it.
        for index in 0..<SourceRecord.successesKept where (successes[index] ^ success) & ~0xFF == 0 {
            successes[index] = success
            return
        }
        successes[Int(nextSuccess)] = success
        nextSuccess = (nextSuccess + 1) % UInt16(SourceRecord.successesKept)
    }

    private static func packed(_ host: Address, _ service: Service, _ second: UInt32) -> UInt64 {
        let mixed = ((host.high ^ host.low) &* 0x9E37_79B9_7F4A_7C15) >> 32
        return mixed << 32 | UInt64(service.port) << 16 | UInt64(service.ipProtocol) << 8 | UInt64(second >> 8 & 0xFF)
    }

    /// What was got at a host (any port) or of a service (any host) in the last hour.
    private func successes(of host: Address?, _ service: Service?, now: UInt32) -> Int {
        let wanted = SourceRecord.packed(host ?? .none, service ?? Service(ipProtocol: 0, port: 0), 0)
        let mask: UInt64 = (host != nil ? 0xFFFF_FFFF << 32 : 0) | (service != nil ? 0xFFFF_FF00 : 0)
        var found = 0
        for index in 0..<SourceRecord.successesKept where successes[index] != 0 {
            let age = UInt8(truncatingIfNeeded: now >> 8) &- UInt8(truncatingIfNeeded: successes[index])
            if (successes[index] ^ wanted) & mask == 0, UInt32(age) << 8 <= SourceRecord.longWindow { found += 1 }
        }
        return found
    }

    // MARK: - Judging

    /// Whether the failure that was taken in last makes a scan, and of what shape.
    func judge(_ last: Failure) -> ScanShape? {
        var ports = (short: 0, long: 0)
        var hosts = (guests: 0, others: 0)
        for index in 0..<Int(count) where failures[index].kind == last.kind && failures[index].second != 0 {
            let failure = failures[index]
            let age = last.second >= failure.second ? last.second - failure.second : 0
            guard age <= SourceRecord.longWindow else { continue }
            if failure.host == last.host {
                ports.long += 1
                if age <= SourceRecord.shortWindow { ports.short += 1 }
            }
            if failure.service == last.service {
                if failure.isGuest {
                    hosts.guests += 1
                } else if successes(of: failure.host, nil, now: last.second) == 0 {
                    // Of a host that answers at another port it is a wish that is not met: HTTPS, say.
                    hosts.others += 1
                }
            }
        }
        let enough =
            last.kind == BehaviourKind.scanProtocols.rawValue ? SourceRecord.protocols : SourceRecord.ports.short
        if ports.short >= enough || ports.long >= SourceRecord.ports.long {
            let got = successes(of: last.host, nil, now: last.second)
            if ports.long > 2 * got { return ports.short >= enough ? .ports : .slowPorts }
        }
        if last.kind == BehaviourKind.scanPing.rawValue, hosts.guests + hosts.others >= SourceRecord.pinged.silent {
            let silent = hosts.guests + hosts.others
            let got = successes(of: nil, last.service, now: last.second)
            if silent + got >= SourceRecord.pinged.all, 4 * silent > got { return .hosts }
        }
        if hosts.guests >= SourceRecord.guestHosts || hosts.guests + hosts.others >= SourceRecord.outsideHosts {
            let got = successes(of: nil, last.service, now: last.second)
            if hosts.guests + hosts.others > 2 * got { return .hosts }
        }
        return block(last) ? .hostsAndPorts : nil
    }

    /// Many ports of several hosts each, none of them enough by itself. A crowd of peers, each with a port of its own,
    /// is none.
    private func block(_ last: Failure) -> Bool {
        guard Int(count) >= SourceRecord.ports.long else { return false }
        var (all, hosts) = (0, 0)
        for index in 0..<Int(count) where isRecent(index, last) {
            all += 1
            let host = failures[index].host
            if !(0..<index).contains(where: { isRecent($0, last) && failures[$0].host == host }) { hosts += 1 }
        }
        return all >= SourceRecord.ports.long && all >= 4 * hosts && all > 2 * successes(of: nil, nil, now: last.second)
    }

    private func isRecent(_ index: Int, _ last: Failure) -> Bool {
        let failure = failures[index]
        return failure.kind == last.kind && failure.second != 0
            && (last.second < failure.second || last.second - failure.second <= SourceRecord.longWindow)
    }
}

/// What of a network a scan goes through.
public enum ScanShape: String, Sendable {
    /// Ports of one host; over more than five minutes; one port of many hosts; ports of several hosts.
    case ports, slowPorts = "slow_ports", hosts
    case hostsAndPorts = "hosts_and_ports"
}
