/// What the operator wants done with packets of a kind: the malformed, the ones of unknown protocols.
public enum Handling: String, Sendable, CaseIterable {
    case pass, alert, drop
}
