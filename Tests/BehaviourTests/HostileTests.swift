import Evidence
import Testing
import Wire

@testable import Behaviour

/// Contacts of captures that somebody made up: any time, any order, any address. Nothing traps, and nothing grows.
struct HostileTests {
    private static let changes: [Contact.Change] = [
        .began, .answered, .refused, .established, .abandoned, .ended, .pouring, .spoke,
    ]

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func anyTime(_ seed: UInt64) {
        var random = seed
        func next(_ count: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % count
        }
        let times: [UInt64] = [0, 1, 999_999_999, 1 << 62, 1_700_000_000_000_000_000, .max - 1, .max]
        var settings = BehaviourSettings()
        for kind in BehaviourKind.allCases { settings[kind].action = .drop }
        let stage = Stage(settings: settings)
        for step in 0..<200 {
            for _ in 0..<100 {
                var contact = Contact(
                    Self.changes[next(8)], client: next(4) == 0 ? Stage.guest(next(256)) : Stage.stranger(next(20)),
                    server: next(4) == 0 ? Stage.stranger(next(20)) : Stage.guest(next(256)), clientPort: 1,
                    serverPort: UInt16(next(40)), ipProtocol: [1, 6, 17, 58, 132, 200][next(6)],
                    time: times[next(times.count)] &+ UInt64(next(1_000_000_000)) &* UInt64(next(1_000)),
                    started: times[next(times.count)])
                contact.probe = Probe.allCases[next(Probe.allCases.count)]
                contact.login = [.none, .ssh, .rdp, .smb][next(4)]
                contact.bytesToServer = UInt64(next(1 << 20))
                contact.bytesToClient = step % 2 == 0 ? .max : UInt64(next(10_000))
                contact.packetsToServer = UInt32.max - UInt32(next(2))
                stage.memory.contacts(0).pointee.append(contact)
            }
            _ = stage.watch.step(times[next(times.count)])
            _ = unsafe stage.memory.refusals.pointee.refuse(Stage.stranger(1), at: 1, time: .max)
        }
        #expect(stage.watch.open.count <= BehaviourWatch.openLimit)
        let learned = stage.watch.learned
        _ = stage.watch.closeAll(.max)
        _ = Stage().watch.recall(learned, time: .max)
        #expect(stage.watch.figures.contacts == 20_000)
    }
}
