import Glibc

extension Diversion {
    public enum Outcome: String, Sendable {
        case installed
        /// The same rules were there, whole: nothing was touched.
        case alreadyInstalled
        /// Other rules of ours, or a part of these, were there. What waits in the queues is not lost.
        case replaced
    }

    /// Puts the rules in force. Whatever fails, no rule stays that leads traffic nowhere.
    @discardableResult
    public func install(_ backend: Backend) throws(OffloadError) -> Outcome {
        let before = try InstalledRules.read()
        if before.backend == backend, before.state?.digest == digest(backend),
            before.rules.filter({ $0.value > 0 }) == expectedRules(backend)
        {
            if backend == .inet { try BridgeNetfilter.set(.allOn) }
            return .alreadyInstalled
        }
        switch backend {
        case .bridge: try installBridge(before)
        case .inet: try installInet(before)
        }
        return before.rules.isEmpty ? .installed : .replaced
    }

    /// Rules that a whole installation has, by family.
    func expectedRules(_ backend: Backend) -> [InstalledRules.Family: Int] {
        var counts = Template.ruleCounts(in: render(backend))
        // The xt rules, which are not in the text.
        if backend == .inet { counts[.inet, default: 0] += plan.offloads ? 2 : 1 }
        return counts
    }

    private func installBridge(_ before: InstalledRules) throws(OffloadError) {
        let removal = before.rules[.inet] == nil ? "" : Diversion.removal(of: [.inet])
        try Diversion.apply(removal + render(.bridge), replacing: before)
        if let former = before.state?.formerSwitches { try BridgeNetfilter.set(former) }
    }

    /// The rule that queues first, then the chains that lead to it, then what brings packets to these.
    private func installInet(_ before: InstalledRules) throws(OffloadError) {
        let former: BridgeNetfilter.Values
        if let known = before.state?.formerSwitches {
            former = known
        } else {
            former = try BridgeNetfilter.read()
        }
        try addQueueRule()
        // Emptied and not removed: with its hooks the kernel would drop what waits in the queues.
        let isRefilled = looksAtFrames || plan.offloads
        let emptied = before.rules[.bridge] != nil && !isRefilled ? "flush table bridge \(Diversion.table)\n" : ""
        do throws(OffloadError) {
            try Diversion.apply(emptied + render(.inet, formerSwitches: former), replacing: before)
            try BridgeNetfilter.set(.allOn)
        } catch {
            if before.rules.isEmpty { _ = try? Diversion.remove() }
            throw error
        }
    }

    private func addQueueRule() throws(OffloadError) {
        let (batch, acknowledged) = plan.xtRuleBatch()
        do throws(OffloadError) {
            try NetlinkSocket.open().commit(batch, acknowledged: acknowledged, "adding the xt rule NFQUEUE")
        } catch {
            guard error.kind == .refused else { throw error }
            throw OffloadError(
                .unsupported,
                error.message + "; are the kernel modules nft_compat, xt_NFQUEUE and nfnetlink_queue there?")
        }
    }

    /// Refills what is there. Where the kernel refuses that (hooks of an older version of ours), our tables
    /// are made anew, which drops what waits in the queues.
    private static func apply(_ text: String, replacing before: InstalledRules) throws(OffloadError) {
        let nft = try Nftables.open()
        guard let refusal = nft.run(text) else { return }
        if before.rules[.bridge] != nil, before.backend == .bridge,
            nft.run(removal(of: [.bridge]) + text) == nil
        {
            return
        }
        throw .nft(refusal, "installing the rules")
    }

    /// Commands that delete our tables of these families; they must exist or be made in the same transaction.
    private static func removal(of families: [InstalledRules.Family]) -> String {
        families.map { "delete table \($0.name) \(table)\n" }.joined()
    }

    /// Takes all rules of ours away, and sets br_netfilter back where we had changed it. False when there
    /// was nothing. The kernel drops packets that wait in the queues when the hooks go: `quiesce` first.
    @discardableResult
    public static func remove() throws(OffloadError) -> Bool {
        let present = try InstalledRules.read()
        guard !present.rules.isEmpty else { return false }
        // No more packets for the inet chains before these go.
        if let former = present.state?.formerSwitches { try BridgeNetfilter.set(former) }
        if let refusal = try Nftables.open().run(removal(of: Array(present.rules.keys))) {
            throw .nft(refusal, "removing the rules")
        }
        return true
    }

    /// Empties the chains and leaves the hooks: nothing more is diverted, and what waits in the queues can
    /// still get its verdict. `remove` takes the rest away.
    public static func quiesce() throws(OffloadError) {
        let present = try InstalledRules.read()
        // The state stays: br_netfilter's former switches are in it.
        let commands = present.chains.filter { $0.name != stateChain }
            .map { "flush chain \($0.family.name) \(table) \($0.name)\n" }.joined()
        guard !commands.isEmpty else { return }
        if let refusal = try Nftables.open().run(commands) { throw .nft(refusal, "emptying the rules") }
    }
}

extension OffloadError {
    static func nft(_ said: String, _ what: String) -> OffloadError {
        if said.contains(errorText(EPERM)) { return .notPermitted(what) }
        return OffloadError(
            .refused, "\(what): nft said: \(said); is the kernel module nfnetlink_queue loaded?")
    }
}
