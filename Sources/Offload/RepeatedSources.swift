import Wire

/// The sources that the kernel lets by to the sensor because their SYN came again and passed, though they have proved
/// nothing: few, and each for a short time. Whoever finds no place loses the end of his handshake, and may come again.
struct RepeatedSources {
    /// Half of the kernel's sets, in which elements that timed out stay for a while.
    static let limit = 4096
    /// Nanoseconds: the time-out of the sets' elements.
    static let age: UInt64 = 10_000_000_000
    /// When the kernel forgets each.
    private var ends: [Address: UInt64] = [:]

    /// Those of `sources` that are new and have a place. `time` in nanoseconds.
    mutating func admit(_ sources: [Address], _ time: UInt64) -> [Address] {
        if !ends.isEmpty { ends = ends.filter { $0.value > time } }
        var fresh: [Address] = []
        for source in sources where ends.count < RepeatedSources.limit && ends[source] == nil {
            ends[source] = time &+ RepeatedSources.age
            fresh.append(source)
        }
        return fresh
    }
}
