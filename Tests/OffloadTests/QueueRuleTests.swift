import Testing

@testable import Offload

@Suite("Netlink")
struct QueueRuleTests {
    /// Made with Python's struct module from linux/netfilter/nf_tables.h, message by message.
    @Test("The batch that adds the xt rule, byte for byte (little-endian hosts)")
    func batch() {
        let plan = DiversionPlan(firstQueue: 3, queueCount: 4, whenStopped: .pass)
        let (messages, acknowledged) = plan.xtRuleBatch()
        let golden = [
            "14000000 1000 0100 01000000 00000000 0000000a",
            "20000000 000a 0104 02000000 00000000 01000000 0b000100 666c696e63680000",
            "2c000000 030a 0104 03000000 00000000 01000000 0b000100 666c696e63680000 0b000300 7175657565730000",
            "2c000000 080a 0100 04000000 00000000 01000000 0b000100 666c696e63680000 0b000200 7175657565730000",
            "64000000 060a 050c 05000000 00000000 01000000 0b000100 666c696e63680000 0b000200 7175657565730000",
            "38000480 34000180 0b000100 7461726765740000 24000280 0c000100 4e46515545554500",
            "08000200 00000003 0c000300 0300 0400 0100 0000",
            "14000000 1100 0100 06000000 00000000 0000000a",
        ].joined().filter { $0 != " " }
        #expect(hex(messages.bytes) == golden)
        #expect(acknowledged == 5)
    }

    @Test("Without bypass when packets are to be dropped")
    func drop() {
        let plan = DiversionPlan(firstQueue: 0xFFFE, queueCount: 2, whenStopped: .drop)
        #expect(hex(plan.xtRuleBatch().messages.bytes).contains("0c000300feff020000000000"))
    }

    @Test("Attributes end at the first that does not fit")
    func attributes() {
        let bytes: [UInt8] = [6, 0, 1, 0x80, 7, 8, 0, 0, 5, 0, 2, 0, 9, 0, 0, 0, 9, 0, 3, 0, 1]
        let walked = NetlinkAttributes(bytes[...]).map { "\($0.type): \(Array($0.value))" }
        #expect(walked == ["1: [7, 8]", "2: [9]"])
        #expect(NetlinkAttributes([3, 0, 1, 0][...]).map(\.type) == [])
        #expect(NetlinkAttributes([5, 0][...]).map(\.type) == [])
        // The last attribute's padding may be missing.
        #expect(NetlinkAttributes([5, 0, 1, 0, 1][...]).number(1) == 1)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

@Suite("The kernel's queue counters")
struct QueueCountersTests {
    @Test func parse() {
        let text = """
                0   4711     3 2 65535     5     6       42  1
               12 3000000000 0 1     0     0     0        0  1
            """
        #expect(
            QueueCounters.parse(text) == [
                0: QueueCounters(
                    number: 0, port: 4711, waiting: 3, copyMode: 2, copyRange: 65535, dropped: 5,
                    undelivered: 6,
                    sequence: 42),
                12: QueueCounters(
                    number: 12, port: 3_000_000_000, waiting: 0, copyMode: 1, copyRange: 0, dropped: 0,
                    undelivered: 0,
                    sequence: 0),
            ])
    }

    @Test(
        "Lines of another form are passed over",
        arguments: [
            "", "\n\n", "queue port", "1 2 3 4 5 6 7", "70000 1 1 2 3 4 5 6 1", "0 -1 3 2 65535 5 6 42 1",
        ])
    func other(text: String) {
        #expect(QueueCounters.parse(text).isEmpty)
    }

    @Test("Nothing is bound in a new namespace")
    func none() throws {
        try inNetworkNamespace { #expect(QueueCounters.read().isEmpty) }
    }
}
