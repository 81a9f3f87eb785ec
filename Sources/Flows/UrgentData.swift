/// What is made of the one byte of a stream that a segment calls urgent (RFC 6093). Most receivers take it out of
/// the stream (§3.1), some read it where it is (SO_OOBINLINE), and Linux puts one back that was not read when the next
/// is announced (tcp_check_urg): which of them a guest does, nobody else can tell.
public enum UrgentData: String, Sendable, CaseIterable {
    /// Streams are inspected with and without it.
    case both
    /// Without it, as Suricata's stock configuration has it, or with it (its `stream.reassembly.urgent.policy`).
    case oob, inline
    /// Inline: segments that carry the flag are dropped, whatever they say. Listening: as `inline`.
    case drop
}
