import Testing
import Wire

/// One row of a table: bytes in, what the record says out.
struct DecodeCase: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let link: LinkLayer
    let cut: Bool
    let kind: PacketKind
    let anomalies: Anomalies
    /// The payload, if it matters: offset and length.
    let payload: [Int32]?
    var testDescription: String { name }

    init(
        _ name: String, _ bytes: [UInt8], as link: LinkLayer = .ip, cut: Bool = false, _ kind: PacketKind,
        _ anomalies: Anomalies = [], payload: [Int32]? = nil
    ) {
        self.name = name
        self.bytes = bytes
        self.link = link
        self.cut = cut
        self.kind = kind
        self.anomalies = anomalies
        self.payload = payload
    }

    func check() {
        let packet = decode(bytes, as: link, cut: cut)
        #expect(packet.kind == kind)
        #expect(bits(packet.anomalies) == bits(anomalies), "bits of the anomalies")
        if let payload { #expect([packet.payloadOffset, packet.payloadLength] == payload) }
    }

    private func bits(_ anomalies: Anomalies) -> [Int] {
        (0..<64).filter { anomalies.rawValue >> UInt64($0) & 1 == 1 }
    }
}

enum Tables {
    static let all = link + ipv4Header + ipv6Header + extensions + fragments + upper
}
