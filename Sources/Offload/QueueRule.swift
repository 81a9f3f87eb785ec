import CNetfilter

extension DiversionPlan {
    /// nft's statement: the flow's symmetric hash picks the queue, so that both directions of a flow meet
    /// the same worker.
    func queueStatement(from first: UInt16) -> String {
        let flags = whenStopped == .pass ? "queue flags bypass" : "queue"
        guard queueCount > 1 else { return "\(flags) to \(first)" }
        return "\(flags) to symhash mod \(queueCount) offset \(first)"
    }

    /// The same as iptables would write the xt rule, for people. Its hash takes addresses only.
    func xtRuleText(from first: UInt16) -> String {
        let queues =
            queueCount > 1
            ? "--queue-balance \(first):\(UInt32(first) + UInt32(queueCount) - 1)" : "--queue-num \(first)"
        return "NFQUEUE \(queues)\(whenStopped == .pass ? " --queue-bypass" : "")"
    }

    /// The chains that hold an xt rule, and the first queue that it sends to.
    private var queueChains: [(chain: String, first: UInt16)] {
        [(Diversion.queueChain, firstQueue)] + (offloads ? [(Diversion.doubtfulChain, doubtfulQueue)] : [])
    }

    /// One batch, so one transaction, that makes `table inet flinch`, its chain `queues` (and the one for what is
    /// of a flood), and that rule the only one in it. The number is of the message whose acknowledgement says
    /// that all is done.
    func xtRuleBatch() -> (messages: NetlinkMessages, acknowledged: UInt32) {
        let inet = UInt8(NFPROTO_INET)
        var batch = NetlinkMessages()
        batch.add(.batchBegin)
        batch.add(.nfTables(Int(NFT_MSG_NEWTABLE.rawValue)), family: inet, flags: UInt16(NLM_F_CREATE)) {
            $0.put(Int(NFTA_TABLE_NAME.rawValue), string: Diversion.table)
        }
        for (chain, first) in queueChains { addQueueRule(chain, first, to: &batch) }
        let acknowledged = batch.lastSequence
        batch.add(.batchEnd)
        return (batch, acknowledged)
    }

    private func addQueueRule(_ chain: String, _ first: UInt16, to batch: inout NetlinkMessages) {
        let inet = UInt8(NFPROTO_INET)
        let create = UInt16(NLM_F_CREATE)
        batch.add(.nfTables(Int(NFT_MSG_NEWCHAIN.rawValue)), family: inet, flags: create) {
            $0.put(Int(NFTA_CHAIN_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_CHAIN_NAME.rawValue), string: chain)
        }
        batch.add(.nfTables(Int(NFT_MSG_DELRULE.rawValue)), family: inet) {
            $0.put(Int(NFTA_RULE_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_RULE_CHAIN.rawValue), string: chain)
        }
        let flags = create | UInt16(NLM_F_APPEND) | UInt16(NLM_F_ACK)
        batch.add(.nfTables(Int(NFT_MSG_NEWRULE.rawValue)), family: inet, flags: flags) {
            $0.put(Int(NFTA_RULE_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_RULE_CHAIN.rawValue), string: chain)
            $0.nest(Int(NFTA_RULE_EXPRESSIONS.rawValue)) {
                $0.nest(Int(NFTA_LIST_ELEM.rawValue)) {
                    $0.put(Int(NFTA_EXPR_NAME.rawValue), string: "target")
                    $0.nest(Int(NFTA_EXPR_DATA.rawValue)) {
                        $0.put(Int(NFTA_TARGET_NAME.rawValue), string: "NFQUEUE")
                        $0.put(Int(NFTA_TARGET_REV.rawValue), bigEndian: 3)
                        $0.put(Int(NFTA_TARGET_INFO.rawValue), targetInfo(first))
                    }
                }
            }
        }
    }

    /// struct xt_NFQ_info_v3 (linux/netfilter/xt_NFQUEUE.h), padded to the 8 bytes that xt wants.
    private func targetInfo(_ first: UInt16) -> [UInt8] {
        var info = xt_NFQ_info_v3()
        info.queuenum = first
        info.queues_total = queueCount
        info.flags = whenStopped == .pass ? UInt16(NFQ_FLAG_BYPASS) : 0
        let bytes = unsafe withUnsafeBytes(of: info) { unsafe Array($0) }
        return bytes + [UInt8](repeating: 0, count: 8 - bytes.count)
    }
}
