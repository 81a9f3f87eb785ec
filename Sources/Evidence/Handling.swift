/// What to do with a kind of packet that no rule and no flood speaks of.
@frozen
public enum Handling: String, BitwiseCopyable, Sendable, CaseIterable {
    case pass, alert, drop
}
