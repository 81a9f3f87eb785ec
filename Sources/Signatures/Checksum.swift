/// What the keywords `ipv4-csum`, `tcpv4-csum` … are about.
enum Checksum: Int16, Sendable, CaseIterable {
    case ipv4, tcpv4, tcpv6, udpv4, udpv6, icmpv4, icmpv6, igmp

    /// Of the keyword without its `-csum`.
    static func named(_ keyword: String) -> Checksum? {
        guard keyword.hasSuffix("-csum") else { return nil }
        let name = keyword.dropLast(5)
        return allCases.first { "\($0)" == name }
    }
}
