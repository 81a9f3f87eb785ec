import Testing
import Wire

@Suite struct FlowHashTests {
    private static let base = decode(ipv4(6, tcp()), as: .ip)

    private func packet(_ change: (inout Packet) -> Void = { _ in }) -> Packet {
        var packet = Self.base
        change(&packet)
        return packet
    }

    private func reversed(_ packet: Packet) -> Packet {
        var back = packet
        (back.source, back.destination) = (packet.destination, packet.source)
        (back.sourcePort, back.destinationPort) = (packet.destinationPort, packet.sourcePort)
        return back
    }

    @Test func bothDirectionsAreOneFlow() {
        var random = Seeded(state: 7)
        for _ in 0..<1000 {
            let one = packet {
                $0.source = Address(high: random.next(), low: random.next())
                $0.destination = Address(high: random.next(), low: random.next())
                $0.sourcePort = UInt16.random(in: 0...UInt16.max, using: &random)
                $0.destinationPort = UInt16.random(in: 0...UInt16.max, using: &random)
            }
            let seed = random.next()
            #expect(one.flowHash(SecretHash(seed: seed)) == reversed(one).flowHash(SecretHash(seed: seed)))
        }
    }

    @Test func eachPartCounts() {
        let flows = [
            packet(), packet { $0.sourcePort += 1 }, packet { $0.destinationPort += 1 },
            packet { swap(&$0.sourcePort, &$0.destinationPort) }, packet { $0.source = Address(v4: 1) },
            packet { $0.destination = Address(v4: 1) }, packet { $0.ipProtocol = 17 },
            packet { $0.outerTag = 5 }, packet { $0.innerTag = 5 },
            packet { $0.source = Address(high: 1, low: 1) },
        ]
        #expect(Set(flows.map { $0.flowHash(SecretHash(seed: 1)) }).count == flows.count)
        #expect(packet().flowHash(SecretHash(seed: 1)) != packet().flowHash(SecretHash(seed: 2)))
        // Priority and DEI of a tag are not part of the flow.
        let priority = packet { $0.outerTag = 0xE000 }
        #expect(priority.flowHash(SecretHash(seed: 1)) == packet().flowHash(SecretHash(seed: 1)))
    }

    /// 65,536 flows into 4,096 slots by their lowest and by their highest bits: 16 a slot are expected, and
    /// more than 48 (eight standard deviations) in none.
    @Test(arguments: [0, 52] as [UInt64]) func spreadsEvenly(_ shift: UInt64) {
        var slots = [Int](repeating: 0, count: 4096)
        for port in 0...UInt16.max {
            let flow = packet { $0.sourcePort = port }
            slots[Int(flow.flowHash(SecretHash(seed: 42)) >> shift & 4095)] += 1
        }
        #expect(slots.max()! <= 48)
        #expect(slots.filter { $0 == 0 }.count <= 8)
    }

    /// Flipping any bit of an address flips about half of the bits.
    @Test func avalanches() {
        let base = packet().flowHash(SecretHash(seed: 9))
        for bit in 0..<64 as Range<UInt64> {
            let high = packet { $0.source = Address(high: $0.source.high ^ 1 << bit, low: $0.source.low) }
            let low = packet { $0.source = Address(high: $0.source.high, low: $0.source.low ^ 1 << bit) }
            for changed in [high, low] {
                let flipped = (changed.flowHash(SecretHash(seed: 9)) ^ base).nonzeroBitCount
                #expect((14...50).contains(flipped), "bit \(bit)")
            }
        }
    }
}
