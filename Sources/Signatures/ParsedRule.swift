/// A rule as it was written, variables replaced: what the parser hands to the compiler.
struct ParsedRule: Sendable {
    var action: RuleAction
    var transport: RuleProtocol
    var source: AddressSet
    var sourcePorts: PortSet
    var destination: AddressSet
    var destinationPorts: PortSet
    /// `<>`: it means the other direction as well.
    var isBidirectional: Bool

    var message = ""
    var sid: UInt32 = 0
    var gid: UInt32 = 1
    var rev: UInt32 = 0
    var classtype = ""
    var priority: UInt8?

    var contents: [Content] = []
    var payloadSize: NumberTest?
    var icmpType: NumberTest?
    var icmpCode: NumberTest?
    var flags: FlagsTest?
}

extension ParsedRule {
    /// What can be said only once the last option is read.
    func validate() throws(Rejection) {
        guard sid != 0 else { throw Rejection("sid is missing") }
        var previous: Content? = nil
        for content in contents {
            try content.validate(after: previous)
            previous = content
        }
        guard contents.count(where: { $0.fastPattern != .no }) <= 1 else {
            throw Rejection("fast_pattern on more than one content")
        }
        if flags != nil, !transport.classes.contains(.tcp) { throw Rejection("flags needs protocol tcp") }
        if icmpType ?? icmpCode != nil, transport.classes.isDisjoint(with: [.icmp, .icmp6]) {
            throw Rejection("itype and icode need protocol icmp")
        }
        if !(sourcePorts.isAll && destinationPorts.isAll),
            transport.classes.isDisjoint(with: .withPorts)
        {
            throw Rejection("ports need protocol tcp, udp or ip")
        }
        if let size = payloadSize, !size.inverted,
            let needed = contents.filter({ !$0.isNegated })
                .map({ ($0.offset ?? 0) + $0.pattern.count }).max(),
            needed > size.high
        {
            throw Rejection("dsize leaves no room for the content")
        }
    }
}
