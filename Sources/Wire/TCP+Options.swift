/// The options that tell what a connection's two sides agreed on.
extension TCPHeader {
    /// How far the windows of its sender are to be shifted (RFC 7323 §2.2); nil if it says nothing of it.
    public var windowScale: UInt8? {
        var options = options
        while let option = options.next() {
            if option.kind == 3, option.length == 1 { return options.bytes.be8(option.offset) }
        }
        return nil
    }

    /// The sender's clock (TSval, RFC 7323 §3.2); nil without the option.
    public var timestamp: UInt32? {
        let bytes = optionBytes
        // Nearly every segment has it where appendix A puts it.
        if bytes.byteCount >= 12, bytes.be32(0) == 0x0101_080A { return bytes.be32(4) }
        var options = options
        while let option = options.next() {
            if option.kind == 8, option.length == 8 { return options.bytes.be32(option.offset) }
        }
        return nil
    }

    /// Whether it asks that data in a SYN be taken (RFC 7413 §4.1.1), by the option or the experiment before it.
    public var asksForFastOpen: Bool {
        var options = options
        while let option = options.next() {
            if option.kind == 34 { return true }
            if option.kind == 254, option.length >= 2, options.bytes.be16(option.offset) == 0xF989 { return true }
        }
        return false
    }
}
