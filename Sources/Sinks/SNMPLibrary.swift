import CLinux
import CNetSNMP
import Glibc
import Synchronization

/// net-snmp's library. Its lists of users and engines are global and without locks: all calls go through
/// here, one at a time.
enum SNMPLibrary {
    private static let isReady = Mutex(false)

    static func use<Result: Sendable>(_ body: () -> Result) -> Result {
        isReady.withLock { isReady in
            if !isReady { prepare() }
            isReady = true
            return body()
        }
    }

    /// It reads no files of its own, writes none, and prints nothing.
    private static func prepare() {
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1)
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1)
        unsafe setenv("MIBS", "", 1)
        snmp_disable_log()
        unsafe init_snmp("flinch")
    }
}
