import Evidence
import Wire

/// The chains and sets by which the kernel drops the bulk of a flood (nftables/offload.nft).
extension Diversion {
    /// Set in the mark of packets that are of a flood and queued all the same, from the chain that says so to the
    /// one that queues: the bit above the mark bit, or below the highest.
    var doubtBit: UInt32 { plan.markBit == 1 << 31 ? plan.markBit >> 1 : plan.markBit << 1 }

    static func hex(_ bits: UInt32) -> String {
        "0x" + String(repeating: "0", count: bits.leadingZeroBitCount / 4) + String(bits, radix: 16)
    }

    /// The sets of one class and family are named by it: `syn4_share`. TCP but SYN is `segment`, because nft
    /// does not take `tcp` for a name.
    static func setPrefix(_ floodClass: FloodClass, isV4: Bool) -> String {
        (floodClass == .tcp ? "segment" : floodClass.name) + (isV4 ? "4" : "6")
    }

    /// `inPorts` and `routed` lead to the chains: from the bridges' ports, and from what this host itself sends.
    func offloadRules(inPorts: String, routed: String, startsTable: Bool) -> String {
        guard plan.offloads else { return "" }
        let classes = [true, false].flatMap { isV4 in FloodClass.allCases.map { classRules($0, isV4: isV4) } }
        return Template.offload.filled([
            "table": startsTable ? "table bridge flinch\nflush table bridge flinch" : "",
            "classes": classes.joined(separator: "\n"),
            "attacked4": "@attacked4", "attacked6": "@attacked6", "in_force": "@in_force",
            "passing_frames": passingFrames.joined(separator: "\n"),
            "passing4": passing(isV4: true).joined(separator: "\n"),
            "passing6": passing(isV4: false).joined(separator: "\n"),
            "mark": Diversion.hex(plan.markBit), "in_ports": inPorts, "routed": routed,
        ])
    }

    /// Of SYNs that look like the flood: a sample, and the rest is dropped.
    private func alike(isV4: Bool) -> String {
        let name = Diversion.setPrefix(.syn, isV4: isV4)
        let ip = isV4 ? "ip" : "ip6"
        return """
                chain attacked_\(name)_alike {
                    \(ip) daddr @\(name)_sample meta mark set mark or \(Diversion.hex(doubtBit)) return
                    \(ip) daddr @\(name)_drop counter name flood_dropped drop
                }
            """
    }

    private func classRules(_ floodClass: FloodClass, isV4: Bool) -> String {
        let name = Diversion.setPrefix(floodClass, isV4: isV4)
        let ip = isV4 ? "ip" : "ip6"
        let type = isV4 ? "ipv4_addr" : "ipv6_addr"
        var (sets, first) = ("", "")
        switch floodClass {
        case .tcp:
            // What may answer a challenge or what the guest itself asked has a share of its own, and so has who has
            // only sent his SYN again, and is about to end his handshake.
            sets = ["answers", "repeats"].map {
                "set \(name)_\($0) {\n    type \(type)\n    size 4096\n    flags dynamic\n}"
            }
            .joined(separator: "\n")
            let queue = { (set: String) in
                "\(ip) daddr @\(name)_\(set) meta mark set mark or \(Diversion.hex(doubtBit)) return"
            }
            first =
                (["rst", "(syn | ack)"].map { "tcp flags & (fin | syn | rst | ack) == \($0) \(queue("answers"))" }
                + ["\(ip) saddr @repeated\(isV4 ? 4 : 6) \(queue("repeats"))"]).joined(separator: "\n")
        case .syn:
            // What looks like the flood has a small share of its own, at the hosts in `sifted`.
            sets =
                "set \(name)_sifted {\n    type \(type)\n    size 4096\n}\n"
                + ["lengths", "shapes"].map { kind in
                    "set \(name)_\(kind) {\n    typeof \(ip) length\(kind == "shapes" ? " . tcp window" : "")\n    size 1024\n}\n"
                }.joined() + "set \(name)_sample {\n    type \(type)\n    size 4096\n    flags dynamic\n}"
            first = ["length @\(name)_lengths", "length . tcp window @\(name)_shapes"].map {
                "\(ip) daddr @\(name)_sifted \(ip) \($0) goto attacked_\(name)_alike"
            }.joined(separator: "\n")
        case .icmp where !isV4:
            first = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-redirect } return"
        default: break
        }
        return Template.offloadClass.filled([
            "name": name, "type": type, "ip": ip, "sets": sets, "first": first,
            "alike": floodClass == .syn ? alike(isV4: isV4) : "",
            "known": "@\(name)_known", "share": "@\(name)_share", "drop": "@\(name)_drop",
            "trusted": isV4 ? "@trusted4" : "@trusted6", "doubt": Diversion.hex(doubtBit),
        ])
    }

    /// What is excluded is none of our business: by address, and by the tag and the port that it comes with.
    private func passing(isV4: Bool) -> [String] {
        plan.excluded.addressMatches.filter { $0.hasPrefix(isV4 ? "ip " : "ip6 ") }.map { "\($0) return" }
    }

    private var passingFrames: [String] {
        plan.excluded.frameMatches.filter { !$0.hasPrefix("oifname") }.map { "\($0) return" }
    }
}
