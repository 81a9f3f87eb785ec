import Foundation
import GRDB
import Glibc

/// Writes events, incidents and rates into the database, and keeps it small. Used by one thread.
public final class StoreWriter {
    /// What is kept: days, and bytes of the database.
    public struct Retention: Sendable, Equatable {
        public var days: Int
        public var bytes: Int

        public init(days: Int = 30, bytes: Int = 1 << 30) {
            self.days = days
            self.bytes = bytes
        }
    }

    private let queue: DatabaseQueue
    private let retention: Retention
    private var incidents = OpenIncidents()
    /// Seconds since the Unix epoch of the next look at what is too old or too much.
    private var nextPruning = 0.0

    /// Makes the database at `path` if it is not there; its folder is.
    public init(path: String, retention: Retention) throws {
        self.retention = retention
        // SQLite gives the files beside it the mode of the first.
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
        queue = try DatabaseQueue(path: path, configuration: Schema.configuration(readOnly: false))
        try Schema.migrator.migrate(queue)
        try takeUp()
    }

    /// All of it or, on an error, nothing.
    public func write(_ events: [StoredEvent], rates: [StoredRate] = [], now: Date = Date()) throws {
        var next = incidents
        try queue.write { database in
            for event in events {
                let incident = event.concern > 0 ? try place(event, in: &next, database) : nil
                try database.cachedStatement(
                    sql: "INSERT INTO event (time, kind, concern, guest, incident, line) VALUES (?, ?, ?, ?, ?, ?)"
                ).execute(arguments: [event.time, event.kind, event.concern, event.guest, incident, event.line])
            }
            for rate in rates {
                try database.cachedStatement(sql: "INSERT OR REPLACE INTO rate VALUES (?, ?, ?, ?, ?, ?)").execute(
                    arguments: [rate.time, rate.guest, rate.packetsIn, rate.bitsIn, rate.packetsOut, rate.bitsOut])
            }
        }
        incidents = next
        if now.timeIntervalSince1970 >= nextPruning {
            nextPruning = now.timeIntervalSince1970 + 60
            try prune(now)
        }
    }

    // MARK: - Incidents

    private func place(_ event: StoredEvent, in incidents: inout OpenIncidents, _ database: Database) throws -> Int64 {
        let id = try incidents.find(event) ?? open(event, in: &incidents, database)
        if incidents.touch(id, event) {
            try database.cachedStatement(sql: "INSERT OR IGNORE INTO target VALUES (?, ?)").execute(
                arguments: [id, event.destination])
        }
        try database.cachedStatement(
            sql: "UPDATE incident SET last = max(last, ?), concern = max(concern, ?), count = count + ? WHERE id = ?"
        ).execute(arguments: [event.last, event.concern, event.count, id])
        try database.cachedStatement(
            sql: """
                INSERT INTO part VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (incident, grp) DO UPDATE
                SET count = count + excluded.count, last = max(last, excluded.last), concern = max(concern, excluded.concern)
                """
        ).execute(arguments: [
            id, event.group, event.title, event.concern, event.count, event.time, event.last,
        ])
        if !event.guest.isEmpty {
            try database.cachedStatement(sql: "INSERT OR IGNORE INTO concerned VALUES (?, ?, ?)").execute(
                arguments: [id, event.guest, event.time])
        }
        if event.isFloodEnd {
            try database.execute(sql: "UPDATE incident SET isOpen = 0 WHERE id = ?", arguments: [id])
            incidents.close(id, at: event.time)
        }
        return id
    }

    private func open(_ event: StoredEvent, in incidents: inout OpenIncidents, _ database: Database) throws -> Int64 {
        let actor = incidents.newActor(for: event)
        try database.cachedStatement(
            sql: "INSERT INTO incident (first, last, concern, actor, count, isOpen) VALUES (?1, ?1, ?2, ?3, 0, 1)"
        ).execute(arguments: [event.time, event.concern, actor])
        let id = database.lastInsertedRowID
        if event.flood != nil {
            for beginning in incidents.beginnings(of: event) {
                try merge(beginning, into: id, database)
                incidents.close(beginning, at: event.time)
            }
        }
        incidents.open(
            .init(
                id: id, actor: actor, last: event.time, targets: [], first: event.time,
                isOfForm: event.isOfForm && actor != OpenIncidents.nobody))
        return id
    }

    /// Makes one incident part of another, which was opened just now.
    private func merge(_ id: Int64, into other: Int64, _ database: Database) throws {
        for sql in [
            """
            INSERT INTO part SELECT ?2, grp, title, concern, count, first, last FROM part WHERE incident = ?1
            ON CONFLICT (incident, grp) DO UPDATE SET count = count + excluded.count,
            first = min(first, excluded.first), last = max(last, excluded.last), concern = max(concern, excluded.concern)
            """,
            "INSERT OR IGNORE INTO concerned SELECT ?2, guest, first FROM concerned WHERE incident = ?1",
            "INSERT OR IGNORE INTO target SELECT ?2, address FROM target WHERE incident = ?1",
            "UPDATE event SET incident = ?2 WHERE incident = ?1",
            """
            UPDATE incident SET count = incident.count + old.count, first = min(incident.first, old.first),
            concern = max(incident.concern, old.concern)
            FROM (SELECT count, first, concern FROM incident WHERE id = ?1) AS old WHERE id = ?2
            """,
        ] { try database.execute(sql: sql, arguments: [id, other]) }
        try database.execute(sql: "DELETE FROM incident WHERE id = ?", arguments: [id])
    }

    /// What an earlier run left open goes on.
    private func takeUp() throws {
        let rows = try queue.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, actor, last FROM incident WHERE isOpen AND last > (SELECT max(last) FROM incident) - ?
                    ORDER BY last DESC LIMIT ?
                    """, arguments: [OpenIncidents.silence, OpenIncidents.limit])
        }
        for row in rows.reversed() {
            let id: Int64 = row["id"]
            let targets = try queue.read { database in
                try String.fetchSet(database, sql: "SELECT address FROM target WHERE incident = ?", arguments: [id])
            }
            incidents.open(.init(id: id, actor: row["actor"], last: row["last"], targets: targets))
        }
    }

    // MARK: - Retention

    /// Bytes that the database's pages in use take.
    public func bytesInUse() throws -> Int {
        try queue.read { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
            let size = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
            return (pages - free) * size
        }
    }

    /// Deletes what is older than so many days, and the oldest tenth again and again while there is too much.
    func prune(_ now: Date) throws {
        let day = Int64(now.timeIntervalSince1970) - Int64(retention.days) * 86_400
        try delete(before: day * 1_000_000)
        // More than ten tenths are not there.
        for _ in 0..<40 where try bytesInUse() > retention.bytes {
            let time = try queue.read { database in
                try Int64.fetchOne(
                    database,
                    sql: "SELECT time FROM event ORDER BY time LIMIT 1 OFFSET (SELECT count(*) / 10 FROM event)")
            }
            guard let time else { break }
            try delete(before: time + 1)
        }
        // The open ones that were forgotten are over for readers too. Space goes back to the file system.
        try queue.write { database in
            try database.execute(
                sql: "UPDATE incident SET isOpen = 0 WHERE isOpen AND last < ? AND actor NOT LIKE 'flood:%'",
                arguments: [Int64(now.timeIntervalSince1970 * 1e6) - OpenIncidents.silence])
        }
        try queue.inDatabase { try $0.execute(sql: "PRAGMA incremental_vacuum") }
    }

    private func delete(before time: Int64) throws {
        try queue.write { database in
            try database.execute(sql: "DELETE FROM event WHERE time < ?", arguments: [time])
            // What is open may still be written to, and so may a flood that has just ended.
            try database.execute(
                sql: """
                    DELETE FROM incident WHERE last < ? AND NOT isOpen
                    AND last < (SELECT max(last) FROM incident) - ?
                    """, arguments: [time, OpenIncidents.aftermath])
            try database.execute(sql: "DELETE FROM rate WHERE time < ?", arguments: [time / 1_000_000])
        }
    }
}
