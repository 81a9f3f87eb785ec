/// What becomes of a packet that fails a check, or of who behaves as one is not to.
public enum CheckAction: String, Sendable, CaseIterable {
    /// Nothing is said.
    case off
    case alert
    /// And an alert.
    case drop
}

public struct CheckSetting: Equatable, Sendable {
    public var action: CheckAction
    public var concern: Concern

    public init(action: CheckAction, concern: Concern) {
        self.action = action
        self.concern = concern
    }
}
