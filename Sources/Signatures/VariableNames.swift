import Synchronization

/// The numbers of the names that `flowbits`, `flowint`, `xbits` and `hostbits` use. A name keeps its number
/// for as long as the process runs, so that what flows remember still means the same after a reload.
final class VariableNames: Sendable {
    static let shared = VariableNames()

    private let numbers = Mutex<[String: UInt16]>([:])

    /// nil once 65,535 names are known.
    func number(_ store: StateOperation.Store, _ name: String) -> UInt16? {
        numbers.withLock { numbers in
            let key = "\(store.rawValue):\(name)"
            if let known = numbers[key] { return known }
            guard let number = UInt16(exactly: numbers.count + 1) else { return nil }
            numbers[key] = number
            return number
        }
    }
}
