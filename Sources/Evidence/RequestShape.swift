/// What SYNs of one make look alike in: the length of the IP packet, which says what options they have, and the
/// window. Systems have a few, tools of attack mostly one.
public struct RequestShape: Sendable, Hashable {
    public var isV4: Bool
    /// Bytes of the IP packet.
    public var length: UInt16
    /// nil: any.
    public var window: UInt16?

    public init(isV4: Bool, length: UInt16, window: UInt16?) {
        self.isV4 = isV4
        self.length = length
        self.window = window
    }
}
