import Configuration
import Glibc
import Sinks

/// The folder of what must outlive the sensor.
enum StateFolder {
    static func path(_ settings: Settings) -> String {
        let systemd = unsafe getenv("STATE_DIRECTORY").map { unsafe String(cString: $0) }
        return settings.sensor.state ?? systemd ?? "/var/lib/flinch"
    }

    /// Of the durable sinks. Made if one needs it; where that fails, the sink says why.
    static func spool(_ settings: Settings) -> String {
        let folder = path(settings) + "/spool"
        if settings.sinks.contains(where: { $0.spool > 0 }) {
            unsafe _ = mkdir(path(settings), 0o750)
            unsafe _ = mkdir(folder, 0o700)
        }
        return folder
    }
}
