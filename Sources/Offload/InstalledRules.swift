import CNetfilter

/// What there is of ours in the kernel: the tables named `flinch` of this network namespace, their rules
/// counted, and the state that chain `installed` carries.
struct InstalledRules {
    /// Rules by family; a table without rules has 0.
    var rules: [Family: Int] = [:]
    /// The chains that have rules.
    var chains: Set<Chain> = []
    var state: DiversionState?
    /// Where the state was found.
    var backend: Backend?

    struct Chain: Hashable {
        let family: Family
        let name: String
    }

    enum Family: UInt8, CaseIterable {
        // NFPROTO_INET and NFPROTO_BRIDGE (linux/netfilter.h).
        case inet = 1
        case bridge = 7

        var name: String { self == .inet ? "inet" : "bridge" }
    }

    static func read() throws(OffloadError) -> InstalledRules {
        let socket = try NetlinkSocket.open()
        var found = InstalledRules()

        var tables = NetlinkMessages()
        tables.add(.nfTables(Int(NFT_MSG_GETTABLE.rawValue)), flags: UInt16(NLM_F_DUMP))
        for (family, table) in try socket.dump(tables, "reading the tables of nftables") {
            guard let family = Family(rawValue: family),
                table.string(NFTA_TABLE_NAME.rawValue) == Diversion.table
            else { continue }
            found.rules[family] = 0
        }

        var rules = NetlinkMessages()
        rules.add(.nfTables(Int(NFT_MSG_GETRULE.rawValue)), flags: UInt16(NLM_F_DUMP)) {
            $0.put(Int(NFTA_RULE_TABLE.rawValue), string: Diversion.table)
        }
        for (family, rule) in try socket.dump(rules, "reading the rules of table \(Diversion.table)") {
            guard let family = Family(rawValue: family),
                rule.string(NFTA_RULE_TABLE.rawValue) == Diversion.table,
                let chain = rule.string(NFTA_RULE_CHAIN.rawValue)
            else { continue }
            found.rules[family, default: 0] += 1
            found.chains.insert(Chain(family: family, name: chain))
            if chain == Diversion.stateChain,
                let state = comment(of: rule).flatMap(DiversionState.init(comment:))
            {
                found.state = state
                found.backend = family == .inet ? .inet : .bridge
            }
        }
        return found
    }

    /// User data is a list of type, length, value, a byte each for the first two; type 0 is the comment
    /// (libnftnl: NFTNL_UDATA_RULE_COMMENT).
    private static func comment(of rule: NetlinkAttributes) -> String? {
        guard var data = rule.value(NFTA_RULE_USERDATA.rawValue) else { return nil }
        while data.count >= 2 {
            let type = data[data.startIndex]
            let length = Int(data[data.startIndex + 1])
            let value = data.dropFirst(2).prefix(length)
            guard value.count == length else { return nil }
            if type == 0 { return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
            data = data.dropFirst(2 + length)
        }
        return nil
    }
}
