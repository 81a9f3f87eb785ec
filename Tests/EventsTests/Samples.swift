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

func sampleBehaviour(_ phase: BehaviourEvent.Phase, _ change: (inout BehaviourEvent) -> Void = { _ in })
    -> BehaviourEvent
{
    var event = BehaviourEvent(
        identifier: 4, phase: phase, number: 1, kind: "scan.syn", message: "BEHAVIOUR TCP SYN scan of web",
        actors: [Address("192.0.2.66")!], actorCount: 1, target: Address("198.51.100.10"), guest: "web",
        concern: .medium, action: "alert", shadow: false, first: sampleTime, last: sampleTime + 1_500_000_000,
        time: sampleTime + 2_000_000_000)
    event.ipProtocol = 6
    event.shape = "ports"
    event.attempts = 100
    event.hosts = 1
    event.ports = 98
    event.peers = [Address("198.51.100.10")!]
    event.services = ["22/tcp", "80/tcp"]
    change(&event)
    return event
}

func sampleFlow(_ change: (inout FlowEvent) -> Void = { _ in }) -> FlowEvent {
    var flow = FlowEvent()
    flow.client = Address("198.51.100.9")!
    flow.server = Address("192.0.2.10")!
    flow.clientPort = 40_000
    flow.serverPort = 445
    flow.ipProtocol = 6
    flow.state = .closed
    flow.tcpState = .closed
    flow.marksToServer = 0x1A
    flow.marksToClient = 0x03
    flow.isAlerted = true
    flow.packetsToServer = 5
    flow.packetsToClient = 4
    flow.bytesToServer = 500
    flow.bytesToClient = 400
    flow.start = sampleTime
    flow.last = sampleTime + 2_900_000_000
    flow.time = sampleTime + 63_000_000_000
    flow.guest = 0
    flow.flow = 12_345
    change(&flow)
    return flow
}
