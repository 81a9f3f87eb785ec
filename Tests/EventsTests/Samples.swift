import Events
import Evidence
import Wire

/// Words that do not depend on the machine.
let sampleNames = EVENames(
    rule: { code in
        switch code {
        case 0:
            EVENames.Rule(
                sid: 1_000_001, rev: 2, message: "SMB probe", category: "Detection of a Network Scan",
                severity: 3)
        case 1:
            EVENames.Rule(
                gid: 3, sid: 7, rev: 1,
                message: "say \"hi\" \\ \n\r\t\u{1}\u{7F}\u{9B}31m\u{A0}é日</script>\u{2028}", category: "",
                severity: 1, metadata: [("policy", ["a", "b"]), ("cve\"", ["2017_0144"])])
        default: nil
        }
    },
    check: { $0 == 4 ? "ipv4.header-length" : nil },
    relation: { $0 == 2 ? "a may not talk to b" : nil },
    guest: { $0 == 0 ? "web" : nil },
    interface: { $0 == 7 ? "tap100i0" : nil })

/// 2026-11-23 21:18:39.123456789 UTC.
let sampleTime: UInt64 = 1_795_468_719_123_456_789

func sampleEvent(_ change: (inout Event) -> Void = { _ in }) -> Event {
    var packet = Packet()
    packet.kind = .tcp
    packet.ipVersion = 4
    packet.ipProtocol = 6
    packet.source = Address("198.51.100.9")!
    packet.destination = Address("192.0.2.10")!
    packet.sourcePort = 40_000
    packet.destinationPort = 445
    var arrival = Arrival(time: sampleTime)
    arrival.port = 7
    var event = Event(
        packet: packet, arrival: arrival, finding: Finding(.signature, code: 0, concern: .low, asks: .accept),
        verdict: .accept, reason: .none, intended: .accept, guest: 0, flow: 12_345)
    change(&event)
    return event
}

func sampleFlood(_ phase: FloodEvent.Phase, _ change: (inout FloodEvent) -> Void = { _ in }) -> FloodEvent {
    var flood = FloodEvent(
        identifier: 9, phase: phase, host: Address("192.0.2.10")!, guest: "web", floodClass: .syn,
        concern: .high, action: "deny", shadow: false, opened: sampleTime,
        time: phase == .open ? sampleTime : sampleTime + 12_345_678_901, packets: 120_000, peakRate: 21_000,
        dropped: 99_000, threshold: 2000)
    change(&flood)
    return flood
}
