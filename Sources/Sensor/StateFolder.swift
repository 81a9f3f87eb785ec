import Configuration
import Glibc

/// The folder of what must outlive the sensor.
enum StateFolder {
    static func path(_ settings: Settings) -> String {
        let systemd = unsafe getenv("STATE_DIRECTORY").map { unsafe String(cString: $0) }
        return settings.sensor.state ?? systemd ?? "/var/lib/flinch"
    }
}
