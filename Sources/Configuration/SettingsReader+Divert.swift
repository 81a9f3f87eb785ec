import Offload

/// The section `divert`: what the kernel brings up.
extension SettingsReader {
    func divert(_ value: Value, _ divert: inout Settings.Divert) {
        let keys = [
            "backend", "bridges", "when-stopped", "when-overloaded", "arp", "other-protocols", "exclude",
            "only", "mark-bit", "offload",
        ]
        guard let section = value.section(keys) else { return }
        divert.backend = section["backend"]?.choice() ?? divert.backend
        for element in section["bridges"]?.elements(like: "[br0]") ?? [] {
            guard let name = InterfaceName.read(element) else { continue }
            if divert.bridges.contains(name) { element.problem("\(name) is listed twice") }
            divert.bridges.append(name)
        }
        divert.whenStopped = section["when-stopped"]?.choice() ?? divert.whenStopped
        divert.whenOverloaded = section["when-overloaded"]?.choice() ?? divert.whenOverloaded
        divert.arp = section["arp"]?.choice() ?? divert.arp
        divert.otherProtocols = section["other-protocols"]?.choice() ?? divert.otherProtocols
        for key in ["arp", "other-protocols"] where divert.backend == .inet {
            guard let value = section[key], value.word == "inspect" else { continue }
            value.problem(
                "the inet backend brings up IP alone; write pass or drop, or choose the bridge backend")
        }
        divert.offload = section["offload"]?.flag() ?? divert.offload
        if let value = section["mark-bit"] {
            if let number = value.number, let bit = UInt32(exactly: number), bit.nonzeroBitCount == 1 {
                divert.markBit = bit
            } else {
                value.refuse("one bit of 32; write a power of two, like 0x01000000")
            }
        }
    }
}

enum InterfaceName {
    /// What the kernel takes for an interface's name (net/core/dev.c, dev_valid_name).
    static func read(_ value: Value) -> String? {
        guard let name = value.word, isValid(name) else {
            value.refuse("an interface's name (\(right))")
            return nil
        }
        return name
    }

    static let right = "1 to 15 bytes, no blank, no slash, no colon"

    static func isValid(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0x2F || $0 == 0x3A }
    }
}
