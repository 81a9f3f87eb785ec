import Flows
import Wire

/// What the table must be like: every byte of a datagram, who sent it, and which host would take it.
private struct Model {
    struct Byte {
        var value: UInt8
        var sent: Range<Int>
    }

    var bytes: [Int: Byte] = [:]
    var length: Int?
    /// Of the last fragment.
    var time: UInt64 = 0

    /// Adds a fragment not inline. The policy is the one by which what came first always stays.
    mutating func add(_ range: Range<Int>, _ data: [UInt8], more: Bool, at now: UInt64) {
        if now - time > 60_000_000_000 { self = Model() }
        time = now
        var count = 0
        for place in range where bytes[place] == nil {
            bytes[place] = Byte(value: data[place - range.lowerBound], sent: range)
            count += 1
        }
        if count > 0, !more { length = min(length ?? range.upperBound, range.upperBound) }
    }

    var whole: [UInt8]? {
        guard let length else { return nil }
        var data: [UInt8] = []
        for place in 0..<length {
            guard let byte = bytes[place] else { return nil }
            data.append(byte.value)
        }
        return data
    }
}

/// What one host may hold of a datagram, inline: all that passed since it last had it whole.
private struct Host {
    /// Of the last one.
    var time: UInt64 = 0
    var passed: [(range: Range<Int>, data: [UInt8], more: Bool)] = []

    /// Whether some host can put something together that has this fragment in it: the bytes of any of those that
    /// lie on a place, with any end that was said.
    func canComplete() -> Bool {
        for end in passed where !end.more {
            var place = 0
            while place < end.range.upperBound, let next = passed.first(where: { $0.range.contains(place) }) {
                place = next.range.upperBound
            }
            if place >= end.range.upperBound { return true }
        }
        return false
    }
}

/// Fragments of 32 datagrams, made of the input: four bytes each say which, from where, how long, with what, and how
/// much later. The first byte says whether inline, and of which IP version.
@c(LLVMFuzzerTestOneInput)
public func fuzzFragments(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Input(start, count)
    let isInline = input.control & 1 != 0
    let version = input.control & 2 != 0 ? 6 : 4
    var table = FragmentTable(
        capacity: isInline ? 16 : 64, bytes: 0, mode: FlowMode(isInline: isInline, midstream: true), policy: .first,
        seed: 7)
    var models = Array(repeating: Model(), count: 32)
    var hosts = Array(repeating: Host(), count: 32)
    var time: UInt64 = 1_700_000_000_000_000_000
    return input.withRest { bytes in
        var offset = 0
        while offset + 4 <= bytes.byteCount {
            let word = (0..<4).map { bytes.unsafeLoad(fromByteOffset: offset + $0, as: UInt8.self) }
            offset += 4
            let datagram = Int(word[0] & 3) + Int(word[1] >> 5) * 4
            let more = word[0] & 4 != 0
            let isDropped = word[0] & 0xF8 == 0xF8
            let place = Int(word[1] & 31) * 8
            let length = Int(word[2]) % 48
            let data = (0..<length).map { word[3] & 3 &+ UInt8(($0 + place) / 8) }
            guard place > 0 || more else { continue }
            time += 250_000_000 * UInt64(word[3] >> 2)
            let packet = fragment(version, datagram, place, data, more)
            let decoded = Decoder.decode(packet.span.bytes, as: .ip)
            precondition(decoded.isFragment)
            let step = table.add(decoded, packet.span.bytes, FragmentPlace(time: time), into: 0)
            let passes = !isInline || step.refusal == .none && !isDropped
            table.settle(isDropped: !passes)
            precondition(isInline || step.refusal == .none)
            precondition(table.openCount <= 32)
            let header = version == 4 ? 20 : 40
            var whole: [UInt8]?
            if step.assembledLength > 0 {
                precondition(step.assembledLength >= header)
                let start = table.assembled(0)
                whole = (header..<step.assembledLength).map { start[$0] }
                let packet = (0..<step.assembledLength).map { start[$0] }
                let decoded = Decoder.decode(packet.span.bytes, as: .ip)
                precondition(!decoded.isFragment && Int(decoded.statedLength) == packet.count)
            }
            if isInline {
                guard passes else { continue }
                // No host waits for longer.
                if time - hosts[datagram].time > 120_000_000_000 { hosts[datagram] = Host() }
                hosts[datagram].time = time
                hosts[datagram].passed.append((place..<place + length, data, more))
                // What a host can put together was put together here, and what is put together here is what it has.
                precondition(whole != nil || !hosts[datagram].canComplete())
                if let whole {
                    for part in hosts[datagram].passed {
                        precondition(Array(whole[part.range]) == part.data)
                    }
                    hosts[datagram] = Host()
                }
            } else {
                if length > 0 { models[datagram].add(place..<place + length, data, more: more, at: time) }
                precondition(whole == models[datagram].whole)
                if whole != nil { models[datagram] = Model() }
            }
        }
        return 0
    }
}

private func fragment(
    _ version: Int, _ identification: Int, _ place: Int, _ data: [UInt8], _ more: Bool
) -> [UInt8] {
    func big16(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }
    let addresses = Array(repeating: UInt8(7), count: version == 4 ? 8 : 32)
    guard version == 4 else {
        return [0x60, 0, 0, 0] + big16(8 + data.count) + [44, 64] + addresses + [17, 0]
            + big16(place | (more ? 1 : 0)) + [0, 0] + big16(identification) + data
    }
    var header = [0x45, 0] + big16(20 + data.count) + big16(identification) + big16(place / 8 | (more ? 0x2000 : 0))
    header += [64, 17, 0, 0] + addresses
    var sum = InternetChecksum()
    sum.add(header.span.bytes)
    header.replaceSubrange(10..<12, with: big16(Int(sum.value)))
    return header + data
}
