import Wire

/// The kernel rules that send bridge traffic to the queues: tables named `flinch`, which nobody else uses.
///
/// All functions act on the network namespace of the calling thread, and need CAP_NET_ADMIN.
public struct Diversion: Sendable {
    public let plan: DiversionPlan

    static let table = "flinch"
    static let queueChain = "queues"
    static let doubtfulChain = "doubtful_queues"
    static let stateChain = "installed"

    /// Throws `badPlan` for a plan that nft could not, or must not, be given.
    public init(plan: DiversionPlan) throws(OffloadError) {
        for name in plan.bridges + plan.excluded.ports + plan.only.ports { try Diversion.check(interface: name) }
        let queues = Int(plan.queueCount) * (plan.offloads ? 2 : 1)
        guard plan.queueCount >= 1, Int(plan.firstQueue) + queues <= 65536 else {
            throw OffloadError(
                .badPlan,
                "\(queues) queues from number \(plan.firstQueue) on: at least one, and none above 65535"
            )
        }
        guard plan.markBit.nonzeroBitCount == 1 else {
            throw OffloadError(.badPlan, "the mark bit must be one bit of 32, such as 0x01000000")
        }
        self.plan = plan
    }

    /// Linux allows 15 bytes without blanks, '/' and ':' (kernel: dev_valid_name). Of those we refuse what
    /// nft would not take literally between quotes.
    static func check(interface name: String) throws(OffloadError) {
        let allowed = name.utf8.allSatisfy { byte in
            (0x21...0x7E).contains(byte) && !"/:\"\\*".utf8.contains(byte)
        }
        guard allowed, (1...15).contains(name.utf8.count), name != ".", name != ".." else {
            let shown = String(name.unicodeScalars.prefix(20).map { $0.value < 32 ? "?" : Character($0) })
            throw OffloadError(
                .badPlan,
                "'\(shown)' is no name of an interface: 1 to 15 printable ASCII characters but blank / : \" \\ *")
        }
    }

    /// The rules as nft takes them, as `flinch divert print` shows them.
    public func render(_ backend: Backend) -> String {
        render(backend, formerSwitches: nil)
    }

    func render(_ backend: Backend, formerSwitches: BridgeNetfilter.Values?) -> String {
        let state = DiversionState(plan: plan, formerSwitches: formerSwitches)
        return fill(backend, state: state.comment(digest: digest(backend)))
    }

    /// Of all that the rules say, and of nothing that changes from one install to the next.
    public func digest(_ backend: Backend) -> String {
        Offload.digest(of: fill(backend, state: ""))
    }

    private func fill(_ backend: Backend, state: String) -> String {
        let names = plan.bridges.map { "\"\($0)\"" }.joined(separator: ", ")
        let (inKey, outKey) = backend == .bridge ? ("meta ibrname", "meta obrname") : ("iifname", "oifname")
        var values = [
            "state": state,
            "mark": Diversion.hex(plan.markBit),
            "select": plan.selects ? "jump select" : "",
            "selection": selection(backend).joined(separator: "\n"),
            "arrivals": arrivals,
            "doubtful": plan.offloads
                ? "meta mark and \(Diversion.hex(doubtBit)) == \(Diversion.hex(doubtBit)) goto doubtful" : "",
            "doubtful_queue": plan.offloads ? doubtfulQueue(backend) : "",
            "queue": plan.queueStatement(from: plan.firstQueue),
            "xt_rule": plan.xtRuleText(from: plan.firstQueue),
            "arp": verdict(plan.arp, backend),
            "other_protocols": verdict(plan.otherProtocols, backend),
            "in_bridges": names.isEmpty ? "" : "\(inKey) { \(names) }",
            "out_bridges": names.isEmpty ? "" : "\(outKey) { \(names) }",
        ]
        if backend == .bridge {
            let output = "type filter hook output priority filter; policy accept;"
            return Template.bridge.filled(values)
                + offloadRules(
                    inPorts: values["in_bridges"]!,
                    routed: [
                        "chain routed {", "    \(output)", "    \(values["out_bridges"]!) meta protocol vmap @in_force",
                        "}",
                    ]
                    .joined(separator: "\n"), startsTable: false)
        }

        var frames = ""
        if looksAtFrames {
            let (from, to) =
                names.isEmpty ? ("", "") : ("meta ibrname { \(names) } ", "meta obrname { \(names) } ")
            values["classify_in"] = dropsNonIP ? from + "goto classify" : ""
            values["classify_out"] = dropsNonIP ? to + "goto classify" : ""
            values["selection"] = selectionOfFrames.joined(separator: "\n")
            frames = "\n" + Template.frames.filled(values)
            values["selection"] = selection(backend).joined(separator: "\n")
        }
        values["in_bridges"] = names.isEmpty ? "meta iifkind \"bridge\"" : "iifname { \(names) }"
        values["out_bridges"] = names.isEmpty ? "meta oifkind \"bridge\"" : "oifname { \(names) }"
        return Template.inet.filled(values) + frames
            + offloadRules(inPorts: names.isEmpty ? "" : "iif @port_numbers", routed: "", startsTable: !looksAtFrames)
    }

    /// What is of a flood goes on without the bit that says so.
    private func doubtfulQueue(_ backend: Backend) -> String {
        let queue =
            backend == .bridge ? plan.queueStatement(from: plan.doubtfulQueue) : "goto \(Diversion.doubtfulChain)"
        return "meta mark set mark and \(Diversion.hex(~doubtBit)) or \(Diversion.hex(plan.markBit))\n"
            + "counter name diverted \(queue)"
    }

    private var mark: String { Diversion.hex(plan.markBit) }

    private var dropsNonIP: Bool { plan.arp == .drop || plan.otherProtocols == .drop }

    /// Whether the inet backend needs rules for frames in the bridge family.
    var looksAtFrames: Bool { dropsNonIP || plan.excluded.isOfFrames || plan.only.isOfFrames }

    private func verdict(_ choice: NonIP, _ backend: Backend) -> String {
        switch choice {
        case .pass: "accept"
        case .inspect: backend == .bridge ? "goto divert" : "accept"
        case .drop: "counter name nonip_dropped drop"
        }
    }

    /// What leaves before it is queued. ARP is asked for only where something becomes of it.
    private func selection(_ backend: Backend) -> [String] {
        guard backend == .inet else { return selection(frames: true, arp: plan.arp != .pass, "") }
        return selection(frames: false, arp: false, "")
    }

    /// The same of frames, for the inet backend: what leaves is marked, and so passes the inet rules. What they
    /// find by themselves is left to them.
    private var selectionOfFrames: [String] {
        ["meta mark and \(mark) == \(mark) accept"]
            + selection(frames: true, arp: plan.arp == .drop, "meta mark set mark or \(mark) ")
    }

    private func selection(frames: Bool, arp: Bool, _ marking: String) -> [String] {
        func matches(_ selection: TrafficSelection) -> [String] {
            (frames ? selection.frameMatches : []) + selection.addressMatches + (arp ? selection.arpMatches : [])
        }
        let leave = marking + "counter name excluded accept"
        let watched = plan.watched.addressMatches + (arp ? plan.watched.arpMatches : [])
        let excluded = (matches(plan.excluded) + watched).map { "\($0) \(leave)" }
        // What is told by the frame cannot be told here.
        guard !plan.only.isEmpty, frames || !plan.only.isOfFrames else { return excluded }
        return excluded + matches(plan.only).map { "\($0) return" } + [leave]
    }

    /// A bridge that knows VLANs has taken the tag away from what leaves untagged before it forwards: the tag that
    /// a frame came with is seen here only.
    private var arrivals: String {
        guard let match = plan.excluded.vlanMatch else { return "" }
        return """
            chain arrivals {
                type filter hook prerouting priority filter + 10; policy accept;
                \(match) meta mark set mark or \(mark) counter name excluded accept
            }
            """
    }

    /// Two prefixes are nested or apart: sorted, what lies within the one kept before goes. nft refuses
    /// overlaps.
    static func outermost(_ prefixes: [Prefix]) -> [Prefix] {
        let sorted = prefixes.sorted { ($0.base, $0.fixedBits) < ($1.base, $1.fixedBits) }
        var kept: [Prefix] = []
        for prefix in sorted where kept.last?.contains(prefix.base) != true { kept.append(prefix) }
        return kept
    }

    /// What an operator should know of this backend and this plan; one sentence each, for the log.
    public func notes(_ backend: Backend) -> [String] {
        guard backend == .inet else { return [] }
        var notes = [
            "this kernel has no nft queue for bridges: bridged packets are diverted through br_netfilter, which "
                + "is on for every bridge of this network namespace, so they also pass its other ip, ip6 and inet rules"
        ]
        if plan.excluded.isOfFrames || plan.only.isOfFrames {
            notes.append(
                "what this host itself sends is diverted whichever port or VLAN it goes to: "
                    + "that is not known where the inet backend diverts it")
        }
        if plan.arp == .inspect { notes.append("ARP passes uninspected: br_netfilter does not queue it") }
        if plan.otherProtocols == .inspect {
            notes.append(
                "protocols other than IPv4, IPv6 and ARP pass uninspected: br_netfilter does not queue them")
        }
        return notes
    }
}
