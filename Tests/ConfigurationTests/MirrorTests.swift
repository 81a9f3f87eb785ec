import Offload
import Topology
import Testing
import Wire

@testable import Configuration

/// What is listened to, and which guests are filtered or watched.
@Suite struct MirrorTests {
    private static let web = "guests: [{name: web, addresses: [192.0.2.7]}]\n"

    @Test func theMirrorHasDefaults() throws {
        let mirror = try #require(try parsed(MirrorTests.web + "mirror: {interfaces: [flinch-mirror]}\n").mirror)
        var expected = Settings.Mirror()
        expected.interfaces = ["flinch-mirror"]
        #expect(mirror == expected && mirror.workers == 1 && mirror.ring == 32 << 20 && mirror.answer == nil)
        #expect(try parsed(MirrorTests.web).mirror == nil)
    }

    @Test func allOfItCanBeSaid() throws {
        let settings = try parsed(
            MirrorTests.web + """
                mirror:
                  interfaces: [span0, erspan1]
                  workers: 3
                  filter: "not port 22"
                  ring: 96 MiB
                  answer: {interface: eth1, rate: 50}

                """)
        let mirror = try #require(settings.mirror)
        #expect(mirror.interfaces == ["span0", "erspan1"] && mirror.filter == "not port 22")
        #expect(mirror.ringShare == 32 << 20)
        #expect(mirror.answer?.interface == "eth1" && mirror.answer?.rate == 50)
        #expect(mirror.deny == nil && settings.deny == Settings.Denials())
        // The queues' workers have their cores first.
        var two = settings
        two.sensor.workers = 2
        #expect(two.listenerCores(usable: [0, 1, 2]) == [2, 0, 1])
    }

    @Test func whoAttacksMayBeDenied() throws {
        let settings = try parsed(
            MirrorTests.web + """
                mirror: {interfaces: [m], deny: {seconds: 60, rate: 5, sensors: [/run/other.sock]}}
                deny: {never: [192.0.2.0/24, "2001:db8::1"], most: 50, longest: 600}

                """)
        let deny = try #require(settings.mirror?.deny)
        #expect(deny.seconds == 60 && deny.rate == 5 && deny.sensors == ["/run/other.sock"])
        #expect(settings.deny.never == [Prefix("192.0.2.0/24")!, Prefix("2001:db8::1")!])
        #expect(settings.deny.most == 50 && settings.deny.longest == 600)
        #expect(try parsed(MirrorTests.web + "mirror: {interfaces: [m], deny: {}}\n").mirror?.deny?.seconds == 300)
    }

    @Test(arguments: [
        BadCase(
            "sensor: {workers: 0}\nmirror: {interfaces: [m], deny: {rate: 3}}\n",
            "3:33: mirror.deny.sensors: nobody filters here; write sensors: and the control sockets of those who do, like "
                + "[/run/flinch/other.sock]"),
        BadCase(
            "deny: {most: 5000}\n", "2:14: deny.most: 5000 is out of range; write a number from 1 to 4096 (sources)"),
        BadCase("mirror: {}\n", "2:9: mirror.interfaces: there is none; write interfaces: [flinch-mirror]"),
        BadCase(
            "mirror: {interfaces: [a, a]}\n", "2:26: mirror.interfaces: a is listed twice"),
        BadCase(
            "mirror: {interfaces: [a], workers: 0}\n",
            "2:36: mirror.workers: 0 is out of range; write a number from 1 to 64"),
        BadCase(
            "mirror: {interfaces: [a], ring: 1 KiB}\n",
            "2:33: mirror.ring: 1 KiB is out of range; write a size from 1 MiB to 4 GiB"),
        BadCase(
            "mirror: {interfaces: [a], answer: {rate: 3}}\n",
            "2:35: mirror.answer.interface: there is none; write interface: and the name of the one that resets leave by"
        ),
        BadCase(
            "sensor: {workers: 0}\n",
            "2:19: sensor.workers: without workers there must be a mirror to listen to; write a section mirror, or at "
                + "least 1"),
    ])
    func mistakesAreNamed(_ bad: BadCase) { #expect(problems(MirrorTests.web + bad.text) == bad.problems) }

    @Test func aFilterIsTriedBeforeItIsUsed() {
        let found = problems(MirrorTests.web + "mirror: {interfaces: [a], filter: \"not prot 22\"}\n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("2:35: mirror.filter: \"not prot 22\" is no filter (") == true)
        #expect(found.first?.hasSuffix("write it as for tcpdump, like \"not port 22\"") == true)
    }

    @Test func aGuestHasAMode() throws {
        let text = """
            mirror: {interfaces: [m]}
            guests:
              - {name: web, addresses: [10.0.0.0/24, "2001:db8::/64"], mode: watched}
              - {name: db, addresses: [10.0.0.7]}

            """
        let settings = try parsed(text)
        #expect(settings.guests.map(\.mode) == [.watched, .filtered])
        // Of nested prefixes the longer one says what a host is.
        let watched = settings.diversionPlan(workers: 1).watched
        let range = { (first: String, last: String) in Address(first)!...Address(last)! }
        #expect(watched.filtered == [range("10.0.0.7", "10.0.0.7")])
        #expect(
            watched.watched == [
                range("10.0.0.0", "10.0.0.6"), range("10.0.0.8", "10.0.0.255"),
                range("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"),
            ])
        // Without workers for queues all are watched.
        let only = try parsed("sensor: {workers: 0}\nmirror: {interfaces: [m]}\n" + MirrorTests.web)
        #expect(only.guests.map(\.mode) == [.watched] && only.onlyListens && only.divert.backend == .none)
        #expect(only.workerCores(usable: [0, 1]).isEmpty)
    }

    @Test(arguments: [
        BadCase(
            "guests: [{name: web, addresses: [192.0.2.7], mode: watched}]\n",
            "1:52: guests[0].mode: there is no mirror that it could be watched in; write a section mirror, or filtered"),
        BadCase(
            "guests: [{name: web, addresses: [192.0.2.7], mode: filtered}]\nsensor: {workers: 0}\nmirror: {interfaces: [m]}\n",
            "1:52: guests[0].mode: there is no worker that could filter it (sensor.workers is 0); write watched, or workers"
        ),
    ])
    func aModeMustBePossible(_ bad: BadCase) { #expect(problems(bad.text) == bad.problems) }

    // MARK: - A change of mode in the file

    /// What of a text is another in the result, line by line.
    private func change(_ text: String, _ guest: String, _ mode: Settings.GuestMode) throws -> [String] {
        let edited = try GuestModeEdit.text(text, guest: guest, mode: mode, file: "f")
        let old = text.split(separator: "\n")
        return edited.split(separator: "\n").filter { !old.contains($0) }.map(String.init)
    }

    @Test func aModeIsWrittenWhereItStands() throws {
        let head = "mirror: {interfaces: [m]}  # listens\nguests:\n"
        let flow = head + "  - {name: web, addresses: [192.0.2.7]}  # ours\n"
        #expect(try change(flow, "web", .watched) == ["  - {mode: watched, name: web, addresses: [192.0.2.7]}  # ours"])
        let block = head + "  - addresses: [192.0.2.7]\n    name: web   # ours\n    shadow: true\n"
        #expect(try change(block, "web", .watched) == ["    mode: watched"])
        let first = head + "  - name: wéb\n    addresses: [192.0.2.7]\n"
        #expect(try change(first, "wéb", .watched) == ["  - mode: watched", "    name: wéb"])
        for quote in ["", "\"", "'"] {
            let said = head + "  - {name: web, mode: \(quote)watched\(quote), addresses: [192.0.2.7]}\n"
            #expect(
                try change(said, "web", .filtered)
                    == ["  - {name: web, mode: \(quote)filtered\(quote), addresses: [192.0.2.7]}"])
            #expect(try change(said, "web", .watched).isEmpty)
        }
    }

    @Test func whatCannotBeWrittenIsRefused() throws {
        let text = "guests: [{name: web, addresses: [192.0.2.7]}]\n"
        let missing = #expect(throws: ConfigurationErrors.self) { try change(text, "wed", .watched) }
        #expect(missing?.description == "f: guests: there is no guest \"wed\"; did you mean web?")
        // A watched guest needs a mirror: what the edit would come to says so itself.
        let without = #expect(throws: ConfigurationErrors.self) { try change(text, "web", .watched) }
        #expect(without?.description.contains("there is no mirror that it could be watched in") == true)
    }

    /// Of those that platforms know the file says who is watched, and its list has the last word.
    @Test func guestsThatAreFoundHaveAMode() throws {
        let text = """
            mirror: {interfaces: [m]}
            guests:
              from: [{file: guests.list}]
              watched: [db*, "group:acme"]
              list:
                - {name: db2, mode: filtered}

            """
        let found = [("web", nil), ("db1", nil), ("db2", nil), ("shop", "acme")].enumerated().map { number, one in
            Guest(name: one.0, addresses: [Prefix("192.0.2.\(number + 1)")!], group: one.1)
        }
        let settings = try Settings.parse(text: text, file: "f", found: found)
        let modes = Dictionary(uniqueKeysWithValues: settings.guests.map { ($0.guest.name, $0.mode) })
        #expect(modes == ["web": .filtered, "db1": .watched, "db2": .filtered, "shop": .watched])
        let edited = try GuestModeEdit.text(text, guest: "db2", mode: .watched, file: "f")
        #expect(edited == text.replacing("mode: filtered", with: "mode: watched"))
        #expect(throws: ConfigurationErrors.self) {
            try GuestModeEdit.text(text, guest: "web", mode: .watched, file: "f")
        }
        let missing = problems("guests: {from: [{file: a}], watched: [db*]}\n")
        #expect(
            missing == [
                "1:38: guests.watched: there is no mirror that they could be watched in; write a section mirror"
            ])
    }
}
