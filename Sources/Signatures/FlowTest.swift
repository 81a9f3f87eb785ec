/// The keyword `flow`: which packets of which flows.
struct FlowTest: OptionSet, BitwiseCopyable, Sendable, Hashable {
    let rawValue: UInt16

    static let toServer = FlowTest(rawValue: 1)
    static let toClient = FlowTest(rawValue: 2)
    static let established = FlowTest(rawValue: 4)
    static let notEstablished = FlowTest(rawValue: 8)
    static let stateless = FlowTest(rawValue: 16)
    static let onlyStream = FlowTest(rawValue: 32)
    static let noStream = FlowTest(rawValue: 64)
    static let onlyFragments = FlowTest(rawValue: 128)
    static let noFragments = FlowTest(rawValue: 256)

    /// What cannot be said without a flow.
    static let needsFlow: FlowTest = [.toServer, .toClient, .established]

    mutating func modify(_ text: RuleText) throws(Rejection) {
        for part in text.listed {
            let added: FlowTest
            switch part.string.lowercased() {
            case "to_server", "from_client": added = .toServer
            case "to_client", "from_server": added = .toClient
            case "established": added = .established
            case "not_established": added = .notEstablished
            case "stateless": added = .stateless
            case "only_stream": added = .onlyStream
            case "no_stream": added = .noStream
            case "only_frag": added = .onlyFragments
            case "no_frag": added = .noFragments
            default: throw Rejection("flow does not know \(part.string)")
            }
            insert(added)
        }
        let contradictions: [FlowTest] = [
            [.toServer, .toClient], [.established, .notEstablished], [.established, .stateless],
            [.onlyStream, .noStream], [.onlyFragments, .noFragments],
        ]
        for pair in contradictions where isSuperset(of: pair) {
            throw Rejection("flow's options contradict each other")
        }
    }
}
