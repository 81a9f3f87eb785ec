import Evidence
import Sketches
import Testing
import Wire

@testable import Floods

@Suite("SipHash, against the vectors of its authors")
struct SipHashTests {
    /// vectors_sip64 of the reference implementation: key 00…0f, message 00, 01, …
    @Test(arguments: [(0, 0x726f_db47_dd0e_0e31), (8, 0x93f5_f579_9a93_2462), (16, 0x3f2a_cc7f_57c2_9bdb)])
    func vectors(_ length: Int, _ expected: UInt64) {
        let key = SipHash(low: 0x0706_0504_0302_0100, high: 0x0f0e_0d0c_0b0a_0908)
        var state = SipHash.State(key)
        if length >= 8 { state.take(0x0706_0504_0302_0100) }
        if length >= 16 { state.take(0x0f0e_0d0c_0b0a_0908) }
        #expect(state.finish(bytes: length) == expected)
    }
}

@Suite("Cookies")
struct CookieTests {
    private let second: UInt64 = 1_000_000_000
    private let start: UInt64 = 1_700_000_000_000_000_000

    private func tuple(_ source: UInt32, _ port: UInt16 = 40_000) -> FourTuple {
        var packet = Packet()
        packet.source = v4(source)
        packet.destination = v4(0x0A00_0002)
        packet.sourcePort = port
        packet.destinationPort = 80
        return FourTuple(packet)
    }

    @Test("Only the cookie of this 4-tuple and sequence number is one, for a minute or two")
    func validity() {
        let cookies = Cookies()
        let one = cookies.cookie(tuple(1), sequence: 5, time: start)
        #expect(cookies.isCookie(one, tuple(1), sequence: 5, time: start + 60 * second))
        #expect(cookies.mayBeAnswer(one, tuple(1), time: start + 60 * second))
        #expect(!cookies.isCookie(one, tuple(1), sequence: 6, time: start))
        #expect(!cookies.isCookie(one, tuple(2), sequence: 5, time: start))
        #expect(!cookies.isCookie(one, tuple(1, 40_001), sequence: 5, time: start))
        #expect(!cookies.isCookie(one, tuple(1), sequence: 5, time: start + 140 * second))
        #expect(!Cookies().isCookie(one, tuple(1), sequence: 5, time: start))
    }

    @Test("It is never the number that the client waits for")
    func neverRight() {
        let cookies = Cookies()
        var right = 0
        for number in UInt32(0)..<200_000 {
            let sequence = number &* 2_654_435_761
            if cookies.cookie(tuple(number), sequence: sequence, time: start) == sequence &+ 1 { right += 1 }
        }
        #expect(right == 0)
    }

    @Test("Resets with random numbers are seldom kept, and never pass for the cookie")
    func guesses() {
        let cookies = Cookies()
        var random = SplitMix(state: 1)
        var kept = 0
        for number in UInt32(0)..<400_000 {
            let guess = UInt32(truncatingIfNeeded: random.next())
            if cookies.mayBeAnswer(guess, tuple(number), time: start) { kept += 1 }
            #expect(!cookies.isCookie(guess, tuple(number), sequence: number, time: start))
        }
        // 2 of 4,096, because there are two periods.
        #expect((120...280).contains(kept), "\(kept)")
    }
}

@Suite("When a SYN was first seen")
struct FirstSeenTests {
    private let millisecond: UInt64 = 1_000_000
    private let start: UInt64 = 1_700_000_000_000_000_000

    @Test(
        "Its age is never more than the truth, and 20 ms less at most",
        arguments: [0, 5, 100, 799, 800, 1_000, 3_000, 15_000])
    func age(_ milliseconds: UInt64) throws {
        var seen = FirstSeen(lines: 1_024)
        let first = seen.note(0x1234_5678_9ABC_DEF0, time: start)
        #expect(first == nil)
        let second = seen.note(0x1234_5678_9ABC_DEF0, time: start + milliseconds * millisecond)
        let age = try #require(second)
        #expect(age <= milliseconds * millisecond)
        #expect(age + 20 * millisecond >= milliseconds * millisecond)
        // Being seen again does not make it younger.
        let third = seen.note(0x1234_5678_9ABC_DEF0, time: start + (milliseconds + 900) * millisecond)
        let later = try #require(third)
        #expect(later > age)
    }

    @Test("After twenty seconds it is new again")
    func forgotten() {
        var seen = FirstSeen(lines: 1_024)
        let ages = [UInt64(0), 21_000, 22_000].map { seen.note(77 << 44, time: start + $0 * millisecond) }
        #expect(ages[0] == nil)
        #expect(ages[1] == nil)
        #expect(ages[2] != nil)
    }

    @Test("At a million SYNs a second 99 of 100 are known a second later, and fifteen a second are mistaken")
    func crowd() {
        var seen = FirstSeen(lines: 1 << 17)
        var random = SplitMix(state: 42)
        var hashes: [UInt64] = []
        var mistaken = 0
        // Two seconds of flood; the first tenth of every thousand comes again after one.
        for number in UInt64(0)..<2_000_000 {
            let time = start + number * 1_000
            let hash = random.next()
            if number < 1_000_000, number % 100 == 0 { hashes.append(hash) }
            if let age = seen.note(hash, time: time), age >= Sieve.retransmission { mistaken += 1 }
            if number >= 1_000_000, number % 100 == 0 {
                let again = hashes[Int(number - 1_000_000) / 100]
                if let age = seen.note(again, time: time), age >= Sieve.retransmission {
                    hashes[Int(number - 1_000_000) / 100] = 0
                }
            }
        }
        let known = hashes.count { $0 == 0 }
        #expect(known >= 9_900, "\(known) of 10,000")
        #expect(mistaken <= 40, "\(mistaken)")
    }

    @Test("Answers are kept for their 4-tuple, for ten seconds")
    func answers() {
        var answers = ChallengeAnswers(lines: 256)
        answers.insert(0xABCD_0000_0000_0001, sequence: 99, time: start)
        func has(_ hash: UInt64, _ sequence: UInt32, after milliseconds: UInt64) -> Bool {
            answers.contains(hash, time: start + milliseconds * millisecond) { $0 == sequence }
        }
        let tuple: UInt64 = 0xABCD_0000_0000_0001
        var found = [has(tuple, 99, after: 13), has(tuple, 98, after: 13), has(tuple ^ 1 << 48, 99, after: 13)]
        #expect(found == [true, false, false])
        found = [has(tuple, 99, after: 9_900), has(tuple, 99, after: 11_000)]
        #expect(found == [true, false])
        // Eight others in its line push it out.
        for number in UInt64(1)...8 {
            answers.insert(number << 50 | 1, sequence: 1, time: start + 20 * millisecond)
        }
        found = [has(tuple, 99, after: 30)]
        #expect(found == [false])
    }
}
