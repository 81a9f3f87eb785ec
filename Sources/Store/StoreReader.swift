import Foundation
import GRDB

/// Reads the database while the sensor writes it.
public final class StoreReader {
    /// What to show.
    public struct Question: Sendable, Equatable {
        /// Microseconds since the Unix epoch.
        public var since: Int64 = 0
        public var guest: String?
        /// The least concern: 1 is low, 3 high.
        public var concern = 1
        public var limit = 1000

        public init() {}
    }

    private let queue: DatabaseQueue

    public init(path: String) throws {
        queue = try DatabaseQueue(path: path, configuration: Schema.configuration(readOnly: true))
    }

    /// The latest, oldest first.
    public func incidents(_ question: Question) throws -> [Incident] {
        try queue.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM incident WHERE last >= ? AND concern >= ?
                    AND (? IS NULL OR EXISTS (SELECT 1 FROM concerned WHERE incident = incident.id AND guest = ?))
                    ORDER BY last DESC LIMIT ?
                    """, arguments: [question.since, question.concern, question.guest, question.guest, question.limit])
            return try rows.reversed().map { row in
                let id: Int64 = row["id"]
                let actor: String = row["actor"]
                let parts = try Row.fetchAll(
                    database, sql: "SELECT * FROM part WHERE incident = ? ORDER BY first, grp", arguments: [id])
                return Incident(
                    id: id, first: row["first"], last: row["last"], concern: row["concern"],
                    actor: actor.hasPrefix("flood:") ? "" : actor,
                    guests: try String.fetchAll(
                        database, sql: "SELECT guest FROM concerned WHERE incident = ? ORDER BY first, guest",
                        arguments: [id]), count: row["count"],
                    parts: parts.map {
                        Incident.Part(
                            title: $0["title"], concern: $0["concern"], count: $0["count"], first: $0["first"],
                            last: $0["last"])
                    })
            }
        }
    }

    /// EVE lines of the events behind number `id`, and the number of the last one looked at.
    public func events(after id: Int64, _ question: Question) throws -> (lines: [String], last: Int64) {
        try queue.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, line, time, concern, guest FROM event WHERE id > ? ORDER BY id LIMIT ?
                    """, arguments: [id, question.limit])
            let lines = rows.filter { row in
                row["time"] >= question.since && row["concern"] >= question.concern
                    && (question.guest == nil || row["guest"] == question.guest)
            }.map { row -> String in row["line"] }
            return (lines, rows.last?["id"] ?? id)
        }
    }

    /// Number of the latest event.
    public func lastEvent() throws -> Int64 {
        try queue.read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM event") ?? 0 }
    }

    /// Of one guest, oldest first.
    public func rates(guest: String, since: Int64) throws -> [StoredRate] {
        try queue.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM rate WHERE guest = ? AND time >= ? ORDER BY time",
                arguments: [guest, since]
            ).map {
                StoredRate(
                    time: $0["time"], guest: $0["guest"], packetsIn: $0["packetsIn"], bitsIn: $0["bitsIn"],
                    packetsOut: $0["packetsOut"], bitsOut: $0["bitsOut"])
            }
        }
    }
}
