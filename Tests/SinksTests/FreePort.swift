import Foundation
import Testing

/// A TCP or UDP port on loopback that nobody has at the moment.
func freePort(_ kind: __socket_type = SOCK_STREAM) throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let done = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
        }
    }
    try #require(done)
    return UInt16(bigEndian: address.sin_port)
}

/// Whether somebody listens at a port, by one of /proc/net's tables: the state is 0A for TCP, 07 for UDP (tcp_states.h).
func isOpen(_ table: String, _ port: UInt16, _ state: String) throws -> Bool {
    let place = ":" + String(format: "%04X", Int(port))
    return try contents(table).split(separator: "\n").contains { row in
        let fields = row.split(separator: " ")
        return fields.count > 3 && fields[1].hasSuffix(place) && fields[3] == state
    }
}
