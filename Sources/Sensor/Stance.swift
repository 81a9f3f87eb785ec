import Configuration
import Conformance
import Evidence
import Inspection
import Offload
import Policy
import Topology

/// What becomes of what is found: where packets wait for a verdict, or where they were delivered long ago.
struct Stance {
    let mode: InspectionMode
    let policies: PolicyTable
    let checks: CheckTable
    let relations: RelationTable
    /// What is not diverted, and so is not known to have been said.
    let unseen: RelationTable

    /// `filters`: beside who looks at things in this way there are workers that filter, and what they have is left
    /// to them. What guests are only about to be filtered, or to be watched, is looked at still, or already:
    /// `former` says how they were until now.
    init(_ settings: Settings, _ mode: InspectionMode, filters: Bool = false, former: Settings? = nil) {
        self.mode = mode
        let isFiltered = { (guest: Settings.ProtectedGuest) in
            guest.mode == .filtered && former?.mode(of: guest.guest.name) != .watched
        }
        let decide = { (shadow: Bool, unknown: Handling?, isElsewhere: Bool) in
            GuestPolicy(
                shadow: settings.shadow || shadow,
                unknownProtocol: mode.isInline ? unknown ?? settings.policy.unknownProtocols : .pass,
                signaturesDrop: mode.isInline, passesFragments: settings.policy.fragments == .pass,
                isElsewhere: isElsewhere)
        }
        policies = PolicyTable(
            guests: settings.guests.map {
                decide($0.guest.shadow, $0.unknownProtocols, filters && isFiltered($0))
            }, others: decide(false, nil, filters))
        // What is dropped elsewhere, or was delivered long ago, is only told.
        let settled = { (checks: CheckSettings) in mode.isInline ? checks : checks.alertOnly }
        checks = CheckTable(
            guests: settings.guests.map { settled($0.conformance) }, others: settled(settings.policy.conformance))
        unseen = RelationTable(mode.isInline ? settings.divert.unseen : [])
        relations = RelationTable(mode.isInline ? settings.relations : settings.relations.map(\.alertOnly))
    }

    var memoryBytes: Int { checks.memoryBytes + relations.memoryBytes + unseen.memoryBytes }
}
