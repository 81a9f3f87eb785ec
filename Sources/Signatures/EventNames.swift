import Flows
import Wire

/// The numbers of the events that rules ask for by name.
enum EventNames {
    static func decoder(_ name: String) -> UInt8? { DecodeEvent.named(name)?.rawValue }

    /// `stream.` may stand before it.
    static func stream(_ name: String) -> UInt8? {
        let name = name.lowercased()
        return StreamEvent.named(name.hasPrefix("stream.") ? String(name.dropFirst(7)) : name)?.rawValue
    }
}
