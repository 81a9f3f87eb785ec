extension ParsedRule {
    /// What is asked of flows and of what is remembered. Returns whether the option is one of these.
    mutating func applyState(_ name: String, _ value: RuleText?) throws(Rejection) -> Bool {
        switch name {
        case "flow":
            // Snort's rules name it more than once.
            try flow.modify(try required(name, value))
        case "flowbits": try append(try StateOperation.flowBits(try required(name, value)))
        case "flowint": try append(try StateOperation.flowInteger(try required(name, value)))
        case "hostbits": try append(try StateOperation.hostBits(try required(name, value)))
        case "xbits": try append(try StateOperation.crossBits(try required(name, value)))
        case "noalert": say(false)
        case "alert": say(true)
        case "flow.age": try packetCondition(.flowAge, name, value, maximum: Int(UInt32.max))
        case "flow.pkts", "flow.bytes":
            let isPackets = name == "flow.pkts"
            let parts = try required(name, value).listed
            guard parts.count == 2 else { throw Rejection("\(name) takes toserver, toclient or either, and a number") }
            let field: Field
            switch parts[0].string.lowercased() {
            case "toserver": field = isPackets ? .packetsToServer : .bytesToServer
            case "toclient": field = isPackets ? .packetsToClient : .bytesToClient
            case "either": field = isPackets ? .packetsEither : .bytesEither
            default: throw Rejection("\(name) takes toserver, toclient or either, and a number")
            }
            try packetCondition(field, name, parts[1], maximum: Int(Int64.max >> 8))
        case "flow.pkts_toclient": try packetCondition(.packetsToClient, name, value, maximum: Int(UInt32.max))
        case "flow.pkts_toserver": try packetCondition(.packetsToServer, name, value, maximum: Int(UInt32.max))
        case "flow.bytes_toclient": try packetCondition(.bytesToClient, name, value, maximum: Int(Int64.max >> 8))
        case "flow.bytes_toserver": try packetCondition(.bytesToServer, name, value, maximum: Int(Int64.max >> 8))
        case "stream_size": try applyStreamSize(try required(name, value))
        case "stream-event":
            let text = try required(name, value).string
            guard let event = EventNames.stream(text) else { throw Rejection("unknown stream event \(text)") }
            conditions.append(Condition(.streamEvent, .any, bits: 1, auxiliary: Int16(event)))
        default: return false
        }
        return true
    }

    private mutating func append(_ operation: StateOperation?) throws(Rejection) {
        guard let operation else { return say(false) }
        operations.append(operation)
    }

    /// `noalert` and `alert`, of which the last stands; a rule that passes says nothing unless it is told to.
    private mutating func say(_ isSaid: Bool) {
        isSilent = !isSaid
        isLoud = isSaid
    }

    /// `stream_size:server|client|both|either,operator,number`; Snort 3: `operator number,to_server`.
    private mutating func applyStreamSize(_ text: RuleText) throws(Rejection) {
        let parts = text.listed
        var side = parts[0].string.lowercased()
        let test: RuleText
        if parts.count == 3 {
            test = parts[1].string == "=" ? parts[2] : parts[1] + parts[2]
        } else if parts.count == 2 {
            side = parts[1].string.lowercased()
            test = parts[0]
        } else {
            throw Rejection("stream_size takes a side, an operator and a number")
        }
        let field: Field
        switch side {
        case "server", "to_client": field = .streamOfServer
        case "client", "to_server": field = .streamOfClient
        case "both": field = .streamOfBoth
        case "either": field = .streamOfEither
        default: throw Rejection("stream_size knows server, client, both and either")
        }
        conditions.append(
            Condition(field, try NumberTest(test, keyword: "stream_size", maximum: Int(UInt32.max), mayBeAll: true)))
    }
}
