import CLinux

/// The cores that this process may run on, of the first 64.
public enum UsableCores {
    public static var list: [Int] {
        let mask = flinch_usable_cores()
        return (0..<64).filter { mask >> UInt64($0) & 1 == 1 }
    }
}
