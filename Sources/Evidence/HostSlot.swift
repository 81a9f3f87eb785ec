/// The number of a protected host, an index into every per-host array; negative for any other address.
public typealias HostSlot = Int32
