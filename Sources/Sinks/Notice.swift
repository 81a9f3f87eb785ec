import CLinux
import Foundation

/// What a person is told of an event, read from its EVE line.
///
/// All texts may have come in packets or rule files, and may hold anything: whoever writes them somewhere
/// escapes them for that place.
public struct Notice {
    /// The line's `event_type`.
    var kind = ""
    /// What events have in common that a person would call the same: the rule, the check, the flood.
    var group = ""
    var title = ""
    /// "low", "medium" or "high"; empty for what is no finding.
    public private(set) var concern = ""
    public private(set) var time = ""
    var guest = ""
    var source = ""
    var destination = ""
    /// Without their ports.
    var sourceAddress = ""
    var destinationAddress = ""
    var proto = ""
    var sensor = ""
    var signature: UInt32?
    /// "accept", "drop" or "throttle", and why; what would have been done, in shadow mode.
    var verdict = ""
    var reason = ""
    var intended = ""
    var isShadow = false
    /// Findings that it stands for, and the time of the last of them, if there are more than one.
    var count = 1
    var last = ""
    /// Of the flood, if it is one: the phase, packets a second at the highest, packets, and those stopped.
    var flood: Flood?
    /// The name of what a host was seen to do, if it is that.
    var behaviour: String?

    /// Of a `stats` event.
    var rates: [Rate] = []

    /// What a guest received and sent in a second.
    struct Rate: Decodable {
        var name: String
        var packets_in: UInt64
        var bits_in: UInt64
        var packets_out: UInt64
        var bits_out: UInt64
    }

    struct Behaviour: Decodable {
        var kind: String
    }

    struct Flood: Decodable {
        var id: UInt64
        var `class`: String
        var phase: String
        var rate: UInt64?
        var peak_rate: UInt64?
        var packets: UInt64?
        var dropped: UInt64?
        var duration: Double?
    }

    /// nil for what is no EVE line of ours.
    public init?(line: some Collection<UInt8>) {
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(line)) else { return nil }
        kind = record.event_type
        time = record.timestamp
        proto = record.proto ?? ""
        sensor = record.host ?? ""
        sourceAddress = record.src_ip ?? ""
        destinationAddress = record.dest_ip ?? ""
        source = Notice.endpoint(record.src_ip, record.src_port)
        destination = Notice.endpoint(record.dest_ip, record.dest_port)
        if let flinch = record.flinch {
            concern = flinch.concern ?? ""
            guest = flinch.guest ?? ""
            verdict = flinch.verdict ?? ""
            reason = flinch.reason ?? ""
            intended = flinch.intended ?? ""
            isShadow = flinch.shadow ?? false
            flood = flinch.flood
            count = max(1, flinch.count ?? 1)
            last = flinch.last ?? ""
            rates = flinch.guests ?? []
            behaviour = flinch.behaviour?.kind
        }
        if let flood {
            group = "flood \(flood.class) \(guest)"
            title =
                flood.phase == "close"
                ? "\(flood.class) flood to \(guest) has ended" : "\(flood.class) flood to \(guest)"
            signature = record.alert?.signature_id
        } else if let alert = record.alert {
            group = "alert \(alert.gid):\(alert.signature_id)"
            title = alert.signature
            signature = alert.signature_id
        } else if let behaviour {
            group = "behaviour \(behaviour) \(guest)"
            title = "\(behaviour) has ended"
        } else if let anomaly = record.anomaly {
            group = "anomaly \(anomaly.event ?? "")"
            title = anomaly.event ?? "anomaly"
        } else {
            group = kind
            title = kind
        }
    }

    /// What was done, in a few words.
    var outcome: String {
        if verdict.isEmpty { return "" }
        if isShadow, intended != verdict { return "would have been: \(intended)" }
        return reason.isEmpty || reason == "accepted" ? verdict : "\(verdict) (\(reason))"
    }

    /// Who, and at whom.
    var way: String {
        let way = [source, destination].filter { !$0.isEmpty }.joined(separator: " → ")
        return guest.isEmpty ? way : "\(way), guest \(guest)"
    }

    /// All of it in one line, fit to be shown.
    public var sentence: String {
        let number = count > 1 ? "\(count) times" : ""
        let parts = [concern.isEmpty ? title : "\(concern): \(title)", way, outcome, number]
        return PlainText.line(parts.filter { !$0.isEmpty }.joined(separator: "; "))
    }

    private static func endpoint(_ address: String?, _ port: UInt16?) -> String {
        guard let address else { return "" }
        guard let port else { return address }
        return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    private struct Record: Decodable {
        var timestamp: String
        var event_type: String
        var src_ip: String?
        var src_port: UInt16?
        var dest_ip: String?
        var dest_port: UInt16?
        var proto: String?
        var host: String?
        var alert: Alert?
        var anomaly: Anomaly?
        var flinch: Flinch?

        struct Alert: Decodable {
            var gid: UInt32
            var signature_id: UInt32
            var signature: String
        }

        struct Anomaly: Decodable {
            var event: String?
        }

        struct Flinch: Decodable {
            var guest: String?
            var concern: String?
            var reason: String?
            var verdict: String?
            var intended: String?
            var shadow: Bool?
            var count: Int?
            var last: String?
            var flood: Flood?
            var behaviour: Behaviour?
            var guests: [Rate]?
        }
    }

    /// Since the Unix epoch; nil for what is no time as EVE lines have it.
    static func microseconds(_ time: String) -> Int64? {
        let fields = time.utf8.split { !(48...57).contains($0) }.compactMap { Int(String(Substring($0))) }
        // Year to second, microseconds, and the zone.
        guard fields.count == 8, time.hasSuffix("+0000") else { return nil }
        var parts = unsafe tm()
        unsafe parts.tm_year = Int32(clamping: fields[0] - 1900)
        unsafe parts.tm_mon = Int32(clamping: fields[1] - 1)
        unsafe parts.tm_mday = Int32(clamping: fields[2])
        unsafe parts.tm_hour = Int32(clamping: fields[3])
        unsafe parts.tm_min = Int32(clamping: fields[4])
        unsafe parts.tm_sec = Int32(clamping: fields[5])
        let seconds = unsafe timegm(&parts)
        return seconds < 0 ? nil : Int64(seconds) * 1_000_000 + Int64(fields[6])
    }
}
