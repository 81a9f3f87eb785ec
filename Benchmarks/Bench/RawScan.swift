import CVectorscan
import Signatures

/// Hyperscan alone: all literals that a rule set is prompted by in one database, over the same payloads. What
/// it costs to look for them at all, before anybody asks in which packets they mean something.
@safe
final class RawScan {
    private let database: OpaquePointer
    private let scratch: OpaquePointer

    init(_ literals: [RuleLiteral]) throws {
        let flags = literals.map {
            UInt32(HS_FLAG_SINGLEMATCH) | ($0.ignoresCase ? UInt32(HS_FLAG_CASELESS) : 0)
        }
        let arena = literals.flatMap(\.bytes)
        var start = 0
        let starts = literals.map { literal in
            defer { start += literal.bytes.count }
            return start
        }
        var database: OpaquePointer?
        var problem: UnsafeMutablePointer<hs_compile_error_t>?
        let status = unsafe arena.withUnsafeBytes { bytes in
            let expressions = unsafe starts.map {
                unsafe (bytes.baseAddress! + $0).assumingMemoryBound(to: CChar.self) as UnsafePointer<CChar>?
            }
            return unsafe hs_compile_lit_multi(
                expressions, flags, Array(0..<UInt32(literals.count)), literals.map(\.bytes.count),
                UInt32(literals.count), UInt32(HS_MODE_BLOCK), nil, &database, &problem)
        }
        defer { unsafe hs_free_compile_error(problem) }
        var scratch: OpaquePointer?
        guard status == HS_SUCCESS, unsafe hs_alloc_scratch(database, &scratch) == HS_SUCCESS else {
            throw WrongAnswer("Hyperscan refuses the literals, status \(status)")
        }
        unsafe self.database = unsafe database!
        unsafe self.scratch = unsafe scratch!
    }

    deinit {
        unsafe hs_free_scratch(scratch)
        unsafe hs_free_database(database)
    }

    /// Scans each payload once. Returns the number of packets, of which those without payload cost nothing.
    func pass(_ traffic: CapturedTraffic) -> UInt64 {
        unsafe traffic.bytes.withUnsafeBytes { bytes in
            for packet in traffic.packets where !packet.payload.isEmpty {
                let start = unsafe bytes.baseAddress! + packet.payload.lowerBound
                _ = unsafe hs_scan(
                    database, start.assumingMemoryBound(to: CChar.self), UInt32(packet.payload.count), 0, scratch,
                    { _, _, _, _, _ in 0 }, nil)
            }
        }
        return UInt64(traffic.packets.count)
    }
}
