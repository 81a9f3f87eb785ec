/// Keywords of the languages that are known and refused: what they ask for is not done, and a rule without them would
/// mean something else.
enum RefusedKeyword {
    static func named(_ keyword: String) -> Rejection? {
        reasons[keyword].map { Rejection("\(keyword) is not supported: \($0)") }
    }

    private static let noSets = "Flinch has no sets of strings"
    private static let noCaptures = "nothing is kept of what pcre matched"
    private static let noPrograms = "rules run no programs"
    private static let noDigests = "Flinch computes no digests of payloads"
    private static let noActivation = "no rule switches another on: use flowbits"
    private static let noSharedObjects = "Flinch runs no shared objects, and the text alone is not the rule"

    private static let reasons = [
        "absent": "it asks whether an application buffer is there",
        "bypass": "no rule ends the inspection of its flow",
        "dataset": noSets, "datarep": noSets,
        "flowvar": noCaptures, "pktvar": noCaptures,
        "geoip": "Flinch has no table of countries", "iprep": "Flinch has no lists of reputation",
        "lua": noPrograms, "luaxform": noPrograms,
        "nfq_set_mark": "the mark of a packet is Flinch's own",
        // Snort 2.9's users manual, chapter 3.
        "activates": noActivation, "activated_by": noActivation,
        "protected_content": noDigests,
        "react": "write reject as the rule's action", "resp": "write reject as the rule's action",
        "session": "Flinch prints no sessions: use tag",
        "stream_reassemble": "every stream is reassembled, in both directions",
        // Snort 3's src/ips_options.
        "md5": noDigests, "sha256": noDigests, "sha512": noDigests,
        "sd_pattern": "Flinch looks for no numbers of cards or accounts",
        "so": noSharedObjects, "soid": noSharedObjects,
    ]
}
