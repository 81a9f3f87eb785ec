/// A notification of FLINCH-MIB (Monitoring/FLINCH-MIB.txt) and what it carries.
struct SNMPNotification: Equatable {
    enum Value: Equatable {
        case text(String)
        case integer(Int)
        case unsigned(UInt32)
    }

    /// Last part of its identifier below `flinchNotifications`.
    var number: UInt
    /// By the last part of the object's identifier below `flinchObjects`.
    var objects: [(object: UInt, value: Value)]

    /// `flinchMIB`.
    static let root: [UInt] = [1, 3, 6, 1, 4, 1, 32473, 1]

    static func == (a: SNMPNotification, b: SNMPNotification) -> Bool {
        a.number == b.number && a.objects.elementsEqual(b.objects) { $0 == $1 }
    }

    private enum Object: UInt {
        case sensor = 1
        case time, concern, title, guest, source, destination, proto, verdict, reason, signature, floodIdentifier
        case floodRate, floodPackets, floodDropped, heldBack
    }

    init(_ notice: Notice) {
        let head: [(Object, Value)] = [
            (.sensor, .text(notice.sensor)), (.time, .text(notice.time)),
            (.concern, .integer(["low": 1, "medium": 2, "high": 3][notice.concern] ?? 0)),
            (.title, .text(notice.title)), (.guest, .text(notice.guest)),
        ]
        if let flood = notice.flood {
            let ended = flood.phase == "close"
            self.init(
                ended ? 4 : 3,
                head + [
                    (.destination, .text(notice.destination)), (.verdict, .text(notice.verdict)),
                    (.floodIdentifier, .unsigned(UInt32(truncatingIfNeeded: flood.id))),
                    (.floodRate, .unsigned(UInt32(clamping: flood.peak_rate ?? flood.rate ?? 0))),
                ]
                    + (ended
                        ? [
                            (.floodPackets, .unsigned(UInt32(clamping: flood.packets ?? 0))),
                            (.floodDropped, .unsigned(UInt32(clamping: flood.dropped ?? 0))),
                        ] : []))
        } else {
            let packet: [(Object, Value)] = [
                (.source, .text(notice.source)), (.destination, .text(notice.destination)),
                (.proto, .text(notice.proto)), (.verdict, .text(notice.verdict)), (.reason, .text(notice.reason)),
            ]
            let signature = notice.signature.map { [(Object.signature, Value.unsigned($0))] } ?? []
            self.init(notice.kind == "anomaly" ? 2 : 1, head + packet + signature)
        }
    }

    /// What was held back.
    init(sensor: String, title: String, held: Int) {
        self.init(
            5, [(.sensor, .text(sensor)), (.title, .text(title)), (.heldBack, .unsigned(UInt32(clamping: held)))])
    }

    private init(_ number: UInt, _ objects: [(Object, Value)]) {
        self.number = number
        self.objects = objects.map { ($0.0.rawValue, $0.1) }
    }

    /// SnmpAdminString (RFC 3411): UTF-8 of at most 255 bytes, without controls.
    static func octets(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in PlainText.line(text).unicodeScalars {
            let piece = Array(String(scalar).utf8)
            if bytes.count + piece.count > 255 { break }
            bytes += piece
        }
        return bytes
    }
}
