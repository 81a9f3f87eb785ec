import Configuration
import Inventory
import Offload
import Testing

/// What is proposed for a host, and that it is a configuration.
@Suite struct ProposalTests {
    private func survey(_ bridges: [HostSurvey.Bridge], _ change: (inout HostSurvey) -> Void = { _ in }) -> HostSurvey {
        var survey = HostSurvey()
        survey.bridges = bridges
        survey.callsIPTables = false
        change(&survey)
        return survey
    }

    private func bridge(_ name: String, made: Bool = false, aware: Bool = false) -> HostSurvey.Bridge {
        HostSurvey.Bridge(name: name, ports: ["p0"], isVLANAware: aware, isMade: made)
    }

    @Test func itBeginsInShadowModeAndIsRead() throws {
        let plain = survey([bridge("vmbr0"), bridge("fwbr100i0", made: true)]) {
            $0.sources = [PlatformSource(.proxmox, path: "/etc/pve"), PlatformSource(.libvirt, path: "/x y/\"z")]
        }
        let proposal = Proposal(plain, rules: ["rules/starter.rules"])
        #expect(proposal == Proposal(plain, rules: ["rules/starter.rules"]), "the same each time")
        #expect(proposal.notes == [] && proposal.guestList == nil)
        let settings = try Settings.parse(text: proposal.text, file: "/etc/flinch/flinch.yaml")
        #expect(settings.shadow && settings.divert.arp == .inspect && settings.divert.bridges == [])
        #expect(settings.discovery.sources == plain.sources && settings.discovery.learn == .neighbours)
        #expect(settings.rules.files == ["/etc/flinch/rules/starter.rules"])
    }

    @Test func whereNoPlatformTellsThereIsAList() throws {
        let proposal = Proposal(survey([bridge("br0")]) { $0.strangers = ["tap1", "tap0"] }, rules: [])
        #expect(proposal.text.contains("from: [{file: guests.list}]"))
        #expect(
            proposal.guestList?.hasSuffix(
                "bridge=. Proposed by `flinch setup`; the sensor follows this file while it runs.\ntap0 port=tap0\ntap1 port=tap1\n"
            ) == true)
        #expect(Proposal(survey([]), rules: []).guestList != nil)
    }

    @Test func whatStandsInTheWayIsSaid() throws {
        let odd = survey([bridge("br0", aware: true), bridge("docker0", made: true)]) {
            $0.callsIPTables = true
            $0.openVSwitchPorts = ["a", "b", "c", "d", "e"]
            $0.bonds = ["bond0"]
        }
        let proposal = Proposal(odd, rules: [])
        for text in [
            "Open vSwitch has a, b, c and 2 more", "bridge-nf-call-iptables is on",
            "bridges of containers are left out",
            "br0 keeps VLANs apart", "bond0 is a bond",
        ] { #expect(proposal.notes.contains { $0.contains(text) }, "\(text)") }
        #expect(try Settings.parse(text: proposal.text, file: "f").divert.bridges == ["br0"])
        #expect(Proposal(survey([]), rules: []).notes.contains { $0.hasPrefix("no Linux bridge is there") })
    }
}
