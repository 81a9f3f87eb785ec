import Foundation

/// The sensor's eve.json, read as it grows.
public struct EveLog: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    /// One line, as far as the lab looks at it.
    public struct Record: Decodable, Sendable {
        public struct Alert: Decodable, Sendable {
            public var action: String
            public var gid: Int
            public var signature_id: Int
            public var signature: String
            public var category: String
            public var severity: Int
        }
        public struct Flood: Decodable, Sendable {
            public var id: UInt64
            public var `class`: String
            public var phase: String
            public var action: String
            public var threshold: UInt64
            public var rate: UInt64?
            public var packets: UInt64?
            public var peak_rate: UInt64?
            public var dropped: UInt64?
            public var duration: Double?
            public var sources: UInt64?
            public var sieve: [String: UInt64]?
        }
        public struct Behaviour: Decodable, Sendable {
            public var id: UInt64
            public var kind: String
            public var phase: String
            public var shape: String?
            public var fragmented: Bool?
            public var attempts: UInt64?
            public var hosts: UInt64?
            public var ports: UInt64?
            public var source_count: Int?
            public var sources: [String]?
            public var services: [String]?
        }
        /// The packet around one that came by tunnel.
        public struct Tunnel: Decodable, Sendable {
            public var src_ip: String
            public var dest_ip: String
            public var depth: Int
        }
        public struct Flinch: Decodable, Sendable {
            public var guest: String?
            public var concern: String?
            public var reason: String?
            public var verdict: String?
            public var intended: String?
            public var shadow: Bool?
            /// Findings that the line tells of together; nil in the line of a single one.
            public var count: UInt64?
            public var flood: Flood?
            public var behaviour: Behaviour?
        }

        public var timestamp: String
        public var event_type: String
        public var in_iface: String?
        public var src_ip: String?
        public var src_port: Int?
        public var dest_ip: String?
        public var dest_port: Int?
        public var proto: String?
        /// Of a rule's alert: 1 if it was found in the stream, 0 if in the packet.
        public var stream: Int?
        public var tunnel: Tunnel?
        public var alert: Alert?
        public var flinch: Flinch?

        /// Seconds since the Unix epoch.
        public var time: Double? { EveLog.seconds(timestamp) }
        /// The opening of a flood.
        public var opens: Bool { event_type == "alert" && flinch?.flood?.phase == "open" }
        public var closes: Bool { event_type == "flood" && flinch?.flood?.phase == "close" }
        /// Whether it is about what goes to an address: EVE lines write IPv6 in full.
        public func isTo(_ address: String) -> Bool {
            guard let dest_ip else { return false }
            return dest_ip == address
                || EveLog.bytes(ofIPv6: dest_ip).map { $0 == EveLog.bytes(ofIPv6: address) } == true
        }
        /// An alert of a rule, when it happens: what tells of more of the same comes seconds later.
        public var isSignature: Bool { event_type == "alert" && flinch?.flood == nil && flinch?.count == nil }
    }

    private static func bytes(ofIPv6 text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        return unsafe inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }

    /// Bytes written until now: a place to read from later.
    public var end: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    /// The complete lines after a place in the file. A line that is no JSON is an error, not skipped: the
    /// sensor may not write such.
    public func records(from place: Int = 0) throws -> [Record] {
        guard let data = FileManager.default.contents(atPath: path), data.count > place else { return [] }
        let decoder = JSONDecoder()
        return try data[place...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
            .prefix(data.last == UInt8(ascii: "\n") ? .max : lines(data[place...]))
            .map { line in
                do {
                    return try decoder.decode(Record.self, from: line)
                } catch {
                    throw LabError(
                        "\(path): not an EVE line: \(String(decoding: line, as: UTF8.self)): \(error)")
                }
            }
    }

    /// Newlines, which is the number of complete lines.
    private func lines(_ data: Data) -> Int { data.count { $0 == UInt8(ascii: "\n") } }

    /// `2025-01-31T12:00:00.123456+0000` in seconds since the Unix epoch.
    static func seconds(_ timestamp: String) -> Double? {
        let fields = timestamp.split { "-T:.+Z".contains($0) }.compactMap { Int($0) }
        let fraction = timestamp.split(separator: ".").last?.prefix { $0.isNumber } ?? ""
        guard fields.count >= 7, fraction.count == 6 else { return nil }
        // Days since the epoch by the civil calendar, whose years begin in March for the sum.
        let year = fields[1] > 2 ? fields[0] : fields[0] - 1
        let month = (fields[1] + 9) % 12
        let days =
            year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + fields[2] - 719_469
        let seconds = days * 86_400 + fields[3] * 3600 + fields[4] * 60 + fields[5]
        // What follows the fraction: hours and minutes east of Greenwich.
        let zone = fields.count == 8 ? fields[7] : 0
        let east = (zone / 100 * 3600 + zone % 100 * 60) * (timestamp.dropFirst(20).contains("-") ? -1 : 1)
        return Double(seconds - east) + Double(fields[6]) / 1e6
    }
}
