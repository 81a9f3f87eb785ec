/// What went wrong in the lab, as one sentence for the person who runs it.
public struct LabError: Error, CustomStringConvertible, Sendable {
    public let description: String

    public init(_ description: String) { self.description = description }
}
