import GRDB

/// The tables, and how a database is opened.
enum Schema {
    /// WAL with normal synchronisation: what was committed survives the end of the process, however it comes;
    /// after a loss of power the last moments may be missing, and the database is whole.
    static func configuration(readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { database in
            guard !readOnly else { return }
            // Before the first table: later it would take a rewrite.
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
            // The log is cut back when it has been written over the database, so it stays this small.
            try database.execute(sql: "PRAGMA journal_size_limit = 4194304")
        }
        return configuration
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE incident (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, last INTEGER NOT NULL,
                        concern INTEGER NOT NULL, actor TEXT NOT NULL, count INTEGER NOT NULL,
                        isOpen INTEGER NOT NULL);
                    CREATE INDEX incidentByTime ON incident (last);
                    CREATE TABLE part (
                        incident INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE, grp TEXT NOT NULL,
                        title TEXT NOT NULL, concern INTEGER NOT NULL, count INTEGER NOT NULL,
                        first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (incident, grp)) WITHOUT ROWID;
                    CREATE TABLE concerned (
                        incident INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE, guest TEXT NOT NULL,
                        first INTEGER NOT NULL, PRIMARY KEY (incident, guest)) WITHOUT ROWID;
                    CREATE TABLE target (
                        incident INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE, address TEXT NOT NULL,
                        PRIMARY KEY (incident, address)) WITHOUT ROWID;
                    CREATE TABLE event (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind TEXT NOT NULL,
                        concern INTEGER NOT NULL, guest TEXT NOT NULL,
                        incident INTEGER REFERENCES incident (id) ON DELETE SET NULL, line TEXT NOT NULL);
                    CREATE INDEX eventByTime ON event (time);
                    CREATE INDEX eventByIncident ON event (incident);
                    CREATE TABLE rate (
                        time INTEGER NOT NULL, guest TEXT NOT NULL, packetsIn INTEGER NOT NULL,
                        bitsIn INTEGER NOT NULL, packetsOut INTEGER NOT NULL, bitsOut INTEGER NOT NULL,
                        PRIMARY KEY (time, guest)) WITHOUT ROWID;
                    """)
        }
        return migrator
    }
}
