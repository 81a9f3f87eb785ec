import CNetfilter

extension DiversionPlan {
    /// nft's statement: the flow's symmetric hash picks the queue, so that both directions of a flow meet
    /// the same worker.
    var queueStatement: String {
        let flags = whenStopped == .pass ? "queue flags bypass" : "queue"
        guard queueCount > 1 else { return "\(flags) to \(firstQueue)" }
        return "\(flags) to symhash mod \(queueCount) offset \(firstQueue)"
    }

    /// The same as iptables would write the xt rule, for people. Its hash takes addresses only.
    var xtRuleText: String {
        let queues =
            queueCount > 1
            ? "--queue-balance \(firstQueue):\(UInt32(firstQueue) + UInt32(queueCount) - 1)"
            : "--queue-num \(firstQueue)"
        return "NFQUEUE \(queues)\(whenStopped == .pass ? " --queue-bypass" : "")"
    }

    /// One batch, so one transaction, that makes `table inet flinch`, its chain `queues`, and that rule the
    /// only one in it. The number is of the message whose acknowledgement says that all is done.
    func xtRuleBatch() -> (messages: NetlinkMessages, acknowledged: UInt32) {
        let inet = UInt8(NFPROTO_INET)
        let create = UInt16(NLM_F_CREATE)
        var batch = NetlinkMessages()
        batch.add(.batchBegin)
        batch.add(.nfTables(Int(NFT_MSG_NEWTABLE.rawValue)), family: inet, flags: create) {
            $0.put(Int(NFTA_TABLE_NAME.rawValue), string: Diversion.table)
        }
        batch.add(.nfTables(Int(NFT_MSG_NEWCHAIN.rawValue)), family: inet, flags: create) {
            $0.put(Int(NFTA_CHAIN_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_CHAIN_NAME.rawValue), string: Diversion.queueChain)
        }
        batch.add(.nfTables(Int(NFT_MSG_DELRULE.rawValue)), family: inet) {
            $0.put(Int(NFTA_RULE_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_RULE_CHAIN.rawValue), string: Diversion.queueChain)
        }
        let flags = create | UInt16(NLM_F_APPEND) | UInt16(NLM_F_ACK)
        batch.add(.nfTables(Int(NFT_MSG_NEWRULE.rawValue)), family: inet, flags: flags) {
            $0.put(Int(NFTA_RULE_TABLE.rawValue), string: Diversion.table)
            $0.put(Int(NFTA_RULE_CHAIN.rawValue), string: Diversion.queueChain)
            $0.nest(Int(NFTA_RULE_EXPRESSIONS.rawValue)) {
                $0.nest(Int(NFTA_LIST_ELEM.rawValue)) {
                    $0.put(Int(NFTA_EXPR_NAME.rawValue), string: "target")
                    $0.nest(Int(NFTA_EXPR_DATA.rawValue)) {
                        $0.put(Int(NFTA_TARGET_NAME.rawValue), string: "NFQUEUE")
                        $0.put(Int(NFTA_TARGET_REV.rawValue), bigEndian: 3)
                        $0.put(Int(NFTA_TARGET_INFO.rawValue), targetInfo)
                    }
                }
            }
        }
        let acknowledged = batch.lastSequence
        batch.add(.batchEnd)
        return (batch, acknowledged)
    }

    /// struct xt_NFQ_info_v3 (linux/netfilter/xt_NFQUEUE.h), padded to the 8 bytes that xt wants.
    private var targetInfo: [UInt8] {
        var info = xt_NFQ_info_v3()
        info.queuenum = firstQueue
        info.queues_total = queueCount
        info.flags = whenStopped == .pass ? UInt16(NFQ_FLAG_BYPASS) : 0
        let bytes = unsafe withUnsafeBytes(of: info) { unsafe Array($0) }
        return bytes + [UInt8](repeating: 0, count: 8 - bytes.count)
    }
}
