import Evidence
import Foundation
import Testing
import Wire

@testable import Events

struct EVEBehaviourTests {
    private func line(_ event: BehaviourEvent) throws -> [String: Any] {
        var encoder = EVEEncoder(names: sampleNames)
        encoder.encode(event)
        return try #require(try JSONSerialization.jsonObject(with: Data(encoder.bytes)) as? [String: Any])
    }

    @Test func aScanThatBegins() throws {
        let line = try line(sampleBehaviour(.open))
        #expect(line["event_type"] as? String == "alert")
        #expect(line["src_ip"] as? String == "192.0.2.66" && line["dest_ip"] as? String == "198.51.100.10")
        #expect(line["proto"] as? String == "TCP")
        let alert = try #require(line["alert"] as? [String: Any])
        #expect(alert["gid"] as? Int == 3501 && alert["signature_id"] as? Int == 1 && alert["severity"] as? Int == 2)
        #expect(alert["signature"] as? String == "BEHAVIOUR TCP SYN scan of web")
        #expect(alert["category"] as? String == "Detection of a Network Scan")
        #expect(alert["action"] as? String == "allowed")
        let flinch = try #require(line["flinch"] as? [String: Any])
        #expect(flinch["guest"] as? String == "web" && flinch["verdict"] as? String == "accept")
        let behaviour = try #require(flinch["behaviour"] as? [String: Any])
        #expect(behaviour["kind"] as? String == "scan.syn" && behaviour["phase"] as? String == "open")
        #expect(behaviour["shape"] as? String == "ports" && behaviour["ports"] as? Int == 98)
        #expect(behaviour["services"] as? [String] == ["22/tcp", "80/tcp"])
        #expect(behaviour["sources"] == nil && behaviour["period"] == nil)
    }

    /// Which of several is real is not known.
    @Test func aCrowdHasNoSource() throws {
        let line = try line(
            sampleBehaviour(.open) {
                $0.actorCount = 3
                $0.actors = [1, 2, 3].map { Address("192.0.2.\($0)")! }
            })
        #expect(line["src_ip"] == nil)
        let behaviour = (line["flinch"] as? [String: Any])?["behaviour"] as? [String: Any]
        #expect(behaviour?["source_count"] as? Int == 3)
        #expect(behaviour?["sources"] as? [String] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    }

    @Test func whatIsRefusedAndWhatWouldBe() throws {
        let refused = try line(sampleBehaviour(.open) { $0.action = "drop" })
        #expect((refused["alert"] as? [String: Any])?["action"] as? String == "blocked")
        #expect((refused["flinch"] as? [String: Any])?["reason"] as? String == "behaviour")
        let shadow = try line(
            sampleBehaviour(.open) {
                $0.action = "drop"
                $0.shadow = true
            })
        #expect((shadow["alert"] as? [String: Any])?["action"] as? String == "allowed")
        let flinch = try #require(shadow["flinch"] as? [String: Any])
        #expect(flinch["intended"] as? String == "drop" && flinch["verdict"] as? String == "accept")
    }

    @Test func whatEndsIsNoAlert() throws {
        let line = try line(sampleBehaviour(.close))
        #expect(line["event_type"] as? String == "behaviour" && line["alert"] == nil)
    }
}
