import Behaviour
import Evidence
import Wire

/// What workers tell of conversations, and the watch that makes something of it: all that behaviour adds, on the packet
/// path and off it.
final class ToldTraffic {
    /// Packets that the conversations of a pass have.
    let packets: Int
    private let memory = BehaviourMemory(workers: 1, seed: 1)
    private let watch: BehaviourWatch
    private let contacts: [Contact]
    private var time: UInt64 = 1_800_000_000_000_000_000

    /// Ordinary connections of sixteen packets to a web server, each told of four times; or nothing but probes, each a
    /// packet and another that refuses it, from as many hosts as fit and more.
    init(scans: Bool) {
        let guest = Address("10.77.0.10")!
        watch = BehaviourWatch(memory, guests: [WatchedGuest(name: "web")]) { $0 == guest ? 0 : nil }
        var contacts: [Contact] = []
        let count = 1_024
        for number in 0..<count {
            let client = Address(v4: 0xC612_0000 + UInt32(scans ? number * 7 : number % 64))
            let port = scans ? UInt16(truncatingIfNeeded: number) : 443
            let changes: [Contact.Change] = scans ? [.began, .refused] : [.began, .answered, .established, .ended]
            for change in changes {
                var contact = Contact(
                    change, client: client, server: guest, clientPort: 40_000, serverPort: port,
                    ipProtocol: IPProtocol.tcp, time: time, started: time)
                contact.probe = scans ? .rawSYN : .syn
                contacts.append(contact)
            }
        }
        self.contacts = contacts
        packets = count * (scans ? 2 : 16)
    }

    /// Tells of all of them, a microsecond apart. Returns how many packets they stand for.
    func pass() -> UInt64 {
        let before = watch.figures.contacts
        unsafe Self.tell(contacts, memory.contacts(0), &time)
        _ = watch.step(time)
        return watch.figures.contacts &- before == UInt64(contacts.count) ? UInt64(packets) : 0
    }

    private static func tell(
        _ contacts: borrowing [Contact], _ writer: UnsafeMutablePointer<Ring<Contact>.Writer>, _ time: inout UInt64
    ) {
        for index in contacts.indices {
            time &+= 1_000
            var contact = contacts[index]
            contact.time = time
            unsafe writer.pointee.append(contact)
        }
    }
}
