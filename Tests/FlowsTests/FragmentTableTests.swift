import Testing
import Wire

@testable import Flows

@Suite struct FragmentTableTests {
    private static let four = [
        Part(0, run("a", 16)), Part(16, run("b", 8)), Part(24, run("c", 24)), Part(48, "the end", more: false),
    ]
    private static let text = run("a", 16) + run("b", 8) + run("c", 24) + "the end"

    private static func permutations(_ items: [Part]) -> [[Part]] {
        guard items.count > 1 else { return [items] }
        return items.indices.flatMap { index in
            var rest = items
            let item = rest.remove(at: index)
            return permutations(rest).map { [item] + $0 }
        }
    }

    @Test(arguments: [4, 6], [true, false])
    func everyOrderMakesTheSame(_ version: Int, _ isInline: Bool) {
        for (number, order) in Self.permutations(Self.four).enumerated() {
            var table = Reassembler(isInline: isInline)
            for (index, part) in order.enumerated() {
                let (step, whole) = table.add(part.with { $0.version = version })
                #expect(step.refusal == .none && step.isKept && !step.overlaps, "order \(number), part \(index)")
                #expect((whole != nil) == (index == 3))
                if let whole {
                    #expect(String(decoding: whole.suffix(55), as: UTF8.self) == Self.text)
                }
            }
            #expect(
                table.table.openCount == 0
                    && table.table.counters.ipv4Reassembled + table.table.counters.ipv6Reassembled == 1)
        }
    }

    @Test(arguments: [4, 6], [true, false])
    func theWholeHasNothingOfAFragment(_ version: Int, _ hasOptions: Bool) throws {
        var table = Reassembler(isInline: true)
        let parts = Self.four.map { part in
            part.with { ($0.version, $0.hasOptions) = (version, hasOptions) }
        }
        var last: [UInt8]?
        // The first fragment last: the header is that of the first, whenever it comes.
        for part in parts.reversed() { last = table.add(part).whole }
        let whole = try #require(last)
        let packet = unsafe Decoder.decode(whole.span.bytes, as: .ip)
        #expect(!packet.isFragment && packet.kind == .udp && packet.anomalies.isSubset(of: .udpLengthBeyondPacket))
        #expect(Int(packet.statedLength) == whole.count)
        if version == 4 {
            #expect(Part.checksum(Array(whole.prefix(hasOptions ? 24 : 20))) == 0)
            #expect(whole.count == 20 + (hasOptions ? 4 : 0) + 55)
        } else {
            #expect(whole[6] == (hasOptions ? 60 : 17) && (!hasOptions || whole[40] == 17))
            #expect(whole.count == 40 + (hasOptions ? 8 : 0) + 55)
        }
    }

    @Test func aWrongHeaderChecksumStaysWrong() throws {
        var table = Reassembler(isInline: false)
        _ = table.add(Self.four[0].with { $0.checksumIsGood = false })
        for part in Self.four[1...2] { _ = table.add(part) }
        let whole = try #require(table.add(Self.four[3]).whole)
        #expect(Part.checksum(Array(whole.prefix(20))) != 0)
    }

    @Test(arguments: [4, 6], [true, false])
    func aDuplicateIsHarmless(_ version: Int, _ isInline: Bool) {
        var table = Reassembler(isInline: isInline)
        var wholes = 0
        for part in Self.four.dropLast().flatMap({ [$0, $0] }) + [Self.four[3]] {
            let (step, whole) = table.add(part.with { $0.version = version })
            #expect(step.refusal == .none)
            if whole != nil { wholes += 1 }
        }
        #expect(wholes == 1 && table.table.counters.overlaps == 3)
    }

    @Test(arguments: [true, false]) func aHoleStaysAHole(_ isInline: Bool) {
        for missing in 0..<4 {
            var table = Reassembler(isInline: isInline)
            var parts = Self.four
            parts.remove(at: missing)
            #expect(table.data(parts + parts.reversed()) == nil)
        }
    }

    /// What is not part of the same datagram.
    static let strangers: [@Sendable (inout Part) -> Void] = [
        { $0.identification = 2 }, { $0.vlan = 5 }, { $0.domain = 9 },
        {
            $0.ipProtocol = 6
            $0.identification = 1
        },
    ]

    @Test(arguments: strangers.indices, [true, false])
    func onlyFragmentsOfOneDatagramMeet(_ stranger: Int, _ isInline: Bool) {
        var table = Reassembler(isInline: isInline)
        let other = Self.four[3].with(Self.strangers[stranger])
        #expect(table.data(Array(Self.four[0...2]) + [other]) == nil)
        #expect(table.table.openCount == 2)
        #expect(table.data([Self.four[3]]) == Self.text)
    }

    /// RFC 8200 §4.5: only the first fragment says which header follows.
    @Test func whatALaterFragmentOfIPv6SaysOfTheNextHeaderDoesNotCount() throws {
        var table = Reassembler(isInline: true)
        _ = table.add(Part(0, run("a", 8)).with { $0.version = 6 })
        let last = Part(8, "b", more: false).with { ($0.version, $0.ipProtocol) = (6, 6) }
        let whole = try #require(table.add(last).whole)
        #expect(whole[6] == 17)
    }

    @Test(arguments: [true, false]) func aDatagramMayBe65_535BytesLong(_ isInline: Bool) {
        var table = Reassembler(isInline: isInline)
        let data = (0..<65_515).map { UInt8(truncatingIfNeeded: $0 * 7) }
        var whole: [UInt8]?
        for start in stride(from: 0, to: data.count, by: 1_480).reversed() {
            let end = min(start + 1_480, data.count)
            whole = table.add(Part(start, Array(data[start..<end]), more: end < data.count)).whole
        }
        #expect(whole.map { Array($0.dropFirst(20)) } == data)
        // One byte more, and no host takes it: ping of death.
        let death = Part(65_512, [1, 2, 3, 4], more: false).with { $0.identification = 2 }
        #expect(table.refusal(death) == (isInline ? .forbidden : .none))
        #expect(table.table.counters.impossible == 1 && table.table.openCount == 0)
    }

    static let impossible: [(String, Part)] = [
        ("no data", Part(8, "")), ("no multiple of 8", Part(8, "123456789")),
        ("a wrong header checksum", Part(8, run("x", 8)).with { $0.checksumIsGood = false }),
        ("beyond the end", Part(65_512, run("x", 8), more: false)),
    ]

    @Test(arguments: impossible) func whatNoHostTakesDoesNotPass(_ name: String, _ part: Part) {
        var table = Reassembler(isInline: true)
        _ = table.add(Part(0, run("a", 8)))
        #expect(table.refusal(part) == .forbidden)
        // And it has changed nothing.
        #expect(table.data([Part(8, "b", more: false)]) == "aaaaaaaab")
    }
}
