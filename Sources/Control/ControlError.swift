/// Why the sensor's control socket could not be asked or opened, in words for the operator.
public struct ControlError: Error, CustomStringConvertible, Equatable, Sendable {
    public var description: String

    public init(_ description: String) { self.description = description }
}
