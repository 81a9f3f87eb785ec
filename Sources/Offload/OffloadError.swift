/// Why the kernel's rules could not be read or changed, in words for the operator.
public struct OffloadError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// The plan itself cannot be carried out: a bad bridge name, too many queues.
        case badPlan
        /// CAP_NET_ADMIN is missing.
        case notPermitted
        /// The kernel lacks what is needed, or a module is not loaded.
        case unsupported
        /// The kernel or nft refused for another reason.
        case refused
    }

    public let kind: Kind
    /// What failed, what was said, and what to do: one line.
    public let message: String
    public var description: String { message }

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
