/// Reads the headers of one packet.
public enum Decoder {
    public static func decode(_ bytes: RawSpan, as link: LinkLayer) -> Packet {
        Packet()
    }
}
