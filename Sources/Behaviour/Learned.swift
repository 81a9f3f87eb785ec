import Wire

/// What the watch has learned of guests, as it outlives the sensor.
public struct Learned: Codable, Sendable, Equatable {
    public static let version = 1

    var version = Learned.version
    var hosts: [Host] = []
    var pairs: [Pair] = []
    var peers: [Peer] = []

    /// Times are seconds since the Unix epoch; a service is a protocol's number times 65,536 and the port.
    struct Host: Codable, Sendable, Equatable {
        var address: String
        var first: UInt32
        var last: UInt32
        var isClient: Bool
        var isServer: Bool
        var usualPeers: UInt16
        var usualServices: UInt16
        var services: [UInt32]
    }

    struct Pair: Codable, Sendable, Equatable {
        var one: String
        var other: String
        var last: UInt32
    }

    /// Times are nanoseconds.
    struct Peer: Codable, Sendable, Equatable {
        var client: String
        var server: String
        var service: UInt32
        var first: UInt64
        var last: UInt64
        var connections: UInt64
        var bytesToServer: UInt64
        var bytesToClient: UInt64
        var wasBeacon: Bool
    }
}

extension BehaviourWatch {
    public var learned: Learned {
        var learned = Learned()
        unsafe hosts.sweep { place in
            learned.hosts.append(unsafe place.pointee.learned)
            return true
        }
        unsafe pairs.sweep { place in
            let key = unsafe place.pointee.key
            learned.pairs.append(
                Learned.Pair(one: "\(key.one)", other: "\(key.other)", last: unsafe place.pointee.lastSecond))
            return true
        }
        unsafe peers.sweep { place in
            learned.peers.append(unsafe place.pointee.learned)
            return true
        }
        return learned
    }

    /// Takes over what was learned before, as far as it can be true: nothing is from after `time`, and it is of who is
    /// a guest now. Returns how many relationships it had; nil for what another version has written.
    @discardableResult
    public func recall(_ learned: Learned, time: UInt64) -> Int? {
        guard learned.version == Learned.version else { return nil }
        let second = time / 1_000_000_000
        for host in learned.hosts where host.first > 0 && host.first <= host.last && UInt64(host.last) <= second {
            guard let address = Address(host.address), guest(address) != nil, unsafe hosts.find(address) == nil
            else { continue }
            _ = unsafe hosts.insert(HostRecord(host, address))
        }
        for pair in learned.pairs where pair.last > 0 && UInt64(pair.last) <= second {
            guard let one = Address(pair.one), let other = Address(pair.other) else { continue }
            let key = PairRecord.Key(one, other)
            if unsafe pairs.find(key) == nil { _ = unsafe pairs.insert(PairRecord(key: key, lastSecond: pair.last)) }
        }
        var count = 0
        for peer in learned.peers where peer.first > 0 && peer.first <= peer.last && peer.last <= time {
            guard let client = Address(peer.client), let server = Address(peer.server) else { continue }
            let guests = (guest(client), guest(server))
            let key = Asking(client: client, server: server, service: Service(number: peer.service))
            guard guests.0 != nil || guests.1 != nil, unsafe peers.find(key) == nil else { continue }
            _ = unsafe peers.insert(PeerRecord(peer, key, isOutside: guests.0 == nil || guests.1 == nil))
            count += 1
        }
        return count
    }
}

extension Service {
    var number: UInt32 { UInt32(ipProtocol) << 16 | UInt32(port) }

    init(number: UInt32) {
        self.init(ipProtocol: UInt8(truncatingIfNeeded: number >> 16), port: UInt16(truncatingIfNeeded: number))
    }
}
