import Glibc

/// How the kernel can hand bridge traffic to queues.
public enum Backend: String, Sendable, CaseIterable {
    /// nft's `queue` in the bridge family.
    case bridge
    /// xt's NFQUEUE in inet chains, with br_netfilter: for kernels built without nft's `queue`.
    case inet
}

extension Diversion {
    /// Asks the kernel, by a dry run of nft, what it can do. Changes nothing, but may make the kernel load
    /// its modules.
    ///
    /// The probe has no hook: a dry run hooks and unhooks for real, and when any hook goes, the kernel drops
    /// all that waits in any queue of the network namespace (kernel: nf_queue_nf_hook_drop).
    ///
    /// Throws `notPermitted` without CAP_NET_ADMIN, `unsupported` where neither way is possible.
    public static func detectBackend() throws(OffloadError) -> Backend {
        let nft = try Nftables.open()
        func refusal(_ family: String, _ rule: String) -> String? {
            let place = "\(family) flinch_probe"
            return nft.refusal(
                of: """
                    add table \(place)
                    add chain \(place) c
                    \(rule.isEmpty ? "" : "add rule \(place) c \(rule)")
                    """)
        }
        let queueInBridge = #"meta ibrname "lo" queue flags bypass to symhash mod 2 offset 0"#
        guard let whyNotBridge = refusal("bridge", queueInBridge) else { return .bridge }
        guard let whyNotInet = refusal("inet", "") else { return .inet }
        if whyNotInet.contains(errorText(EPERM)) {
            throw .notPermitted("asking nft what this kernel can queue")
        }
        throw OffloadError(
            .unsupported,
            "no way to divert traffic: nft said of the bridge family: \(whyNotBridge); of inet: \(whyNotInet); "
                + "are the kernel modules nf_tables, nft_queue and nfnetlink_queue there?")
    }
}
