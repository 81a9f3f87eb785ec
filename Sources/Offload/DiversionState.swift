/// What an installed diversion says of itself, in the comment of the rule in chain `installed`:
/// `digest=… queues=0+2 when-stopped=pass bridge-nf=0,0,0`. nft allows 128 bytes for it.
struct DiversionState: Equatable {
    /// Of the rendered rules; equal digests are equal rules.
    var digest: String
    var firstQueue: UInt16
    var queueCount: UInt16
    var whenStopped: Uninspected
    /// inet only: br_netfilter's switches as they were before.
    var formerSwitches: BridgeNetfilter.Values?

    /// The comment without the digest is what is rendered to compute it.
    func comment(digest: String) -> String {
        var text = "digest=\(digest) queues=\(firstQueue)+\(queueCount) when-stopped=\(whenStopped.rawValue)"
        if let formerSwitches { text += " bridge-nf=\(formerSwitches)" }
        return text
    }

    init(plan: DiversionPlan, digest: String = "", formerSwitches: BridgeNetfilter.Values? = nil) {
        self.digest = digest
        firstQueue = plan.firstQueue
        queueCount = plan.queueCount
        whenStopped = plan.whenStopped
        self.formerSwitches = formerSwitches
    }

    /// nil for a comment that is not ours.
    init?(comment: String) {
        var fields: [Substring: Substring] = [:]
        for word in comment.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            fields[parts[0]] = parts[1]
        }
        guard let digest = fields["digest"],
            let queues = fields["queues"]?.split(separator: "+"), queues.count == 2,
            let first = UInt16(queues[0]), let count = UInt16(queues[1]),
            let whenStopped = fields["when-stopped"].flatMap({ Uninspected(rawValue: String($0)) })
        else { return nil }
        self.digest = String(digest)
        firstQueue = first
        queueCount = count
        self.whenStopped = whenStopped
        formerSwitches = fields["bridge-nf"].flatMap(BridgeNetfilter.Values.init)
    }
}

/// FNV-1a, 64 bits (draft-eastlake-fnv): tells one text from another; no protection against malice, which
/// would need root here.
func digest(of text: String) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let hex = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - hex.count) + hex
}
