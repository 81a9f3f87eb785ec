import Sketches
import Wire

/// The acknowledgement number of a challenge.
///
/// A TCP in SYN-SENT that gets a SYN-ACK with another acknowledgement than its own sequence number plus one
/// answers with a reset that carries the number it got (RFC 9293 §3.10.7.3), and goes on waiting. Only who
/// receives what is sent to that address can know the number.
///
/// The upper 12 bits are of the 4-tuple alone, so that a reset can be tried before its SYN comes again; the
/// lower 20 are of the SYN's sequence number as well. The key is the sensor's, with the number of the minute
/// hashed in, so that no cookie lives for long.
struct Cookies: Sendable, BitwiseCopyable {
    private let key = SipHash.random()
    /// 2³⁶ ns, 69 s.
    private static var period: UInt64 { 36 }
    private static var upperMask: UInt32 { 0xFFF0_0000 }

    /// Of the SYN from `tuple.source` with this sequence number, now.
    func cookie(_ tuple: FourTuple, sequence: UInt32, time: UInt64) -> UInt32 {
        cookie(tuple, sequence, time >> Cookies.period)
    }

    /// Whether a reset with this number may be an answer: of a million at random, 488 may.
    func mayBeAnswer(_ number: UInt32, _ tuple: FourTuple, time: UInt64) -> Bool {
        let period = time >> Cookies.period
        return (number ^ upper(tuple, period)) & Cookies.upperMask == 0
            || (number ^ upper(tuple, period &- 1)) & Cookies.upperMask == 0
    }

    /// Whether the number is the cookie of this SYN, from this period or the last one.
    func isCookie(_ number: UInt32, _ tuple: FourTuple, sequence: UInt32, time: UInt64) -> Bool {
        let period = time >> Cookies.period
        return number == cookie(tuple, sequence, period) || number == cookie(tuple, sequence, period &- 1)
    }

    private func cookie(_ tuple: FourTuple, _ sequence: UInt32, _ period: UInt64) -> UInt32 {
        let lower = UInt32(truncatingIfNeeded: mac(tuple, UInt64(sequence), period << 1 | 1))
        let number = upper(tuple, period) & Cookies.upperMask | lower & ~Cookies.upperMask
        // The right answer to the SYN would open a connection to nobody.
        return number == sequence &+ 1 ? number ^ 1 : number
    }

    private func upper(_ tuple: FourTuple, _ period: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: mac(tuple, 0, period << 1))
    }

    private func mac(_ tuple: FourTuple, _ sequence: UInt64, _ period: UInt64) -> UInt64 {
        key.hash(
            tuple.source.high, tuple.source.low, tuple.destination.high, tuple.destination.low,
            tuple.ports << 32 | sequence, period)
    }
}
