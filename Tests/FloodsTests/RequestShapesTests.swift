import Evidence
import Testing

@testable import Floods

private final class Bench {
    private let table = RequestShapes()
    private var hostile = HostileShapes()

    func arrive(_ count: Int, length: UInt32, isProved: Bool = false, window: () -> UInt16 = { 64_240 }) {
        for _ in 0..<count {
            table.count(RequestShapes.place(isV4: true, length: length, window: window()), isProved: isProved)
        }
    }

    func step(isAttacked: Bool = true) -> [RequestShape] {
        hostile.update(table, isAttacked: isAttacked, isWholeSecond: !isAttacked)
        return hostile.shapes
    }

    func isHostile(_ length: UInt32, isV4: Bool = true, window: UInt16 = 64_240) -> Bool {
        table.isHostile(RequestShapes.place(isV4: isV4, length: length, window: window))
    }
}

@Suite("What SYNs look like")
struct RequestShapesTests {
    private let bench = Bench()

    @Test("A flood of one make is told by its length, whatever its windows")
    func plain() {
        bench.arrive(20, length: 60, isProved: true)
        bench.arrive(10_000, length: 40) { .random(in: 0 ... .max) }
        bench.arrive(20, length: 60)
        #expect(bench.step() == [RequestShape(isV4: true, length: 40, window: nil)])
        #expect(bench.isHostile(40, window: 9))
        #expect(!bench.isHostile(60))
        #expect(!bench.isHostile(40, isV4: false, window: 9))
    }

    @Test("One with the length of clients is told by its window")
    func window() {
        bench.arrive(20, length: 60, isProved: true)
        bench.arrive(10_000, length: 60) { 512 }
        #expect(bench.step() == [RequestShape(isV4: true, length: 60, window: 512)])
        #expect(!bench.isHostile(60))
    }

    @Test("One that looks like clients is not told apart, and no client pays for it")
    func mimicry() {
        bench.arrive(20, length: 60, isProved: true)
        bench.arrive(10_000, length: 60)
        #expect(bench.step().isEmpty)
    }

    @Test("Nothing is called hostile while it is not known what clients look like")
    func ignorance() {
        bench.arrive(7, length: 60, isProved: true)
        bench.arrive(10_000, length: 40)
        #expect(bench.step().isEmpty)
    }

    @Test("It stays so while few come up, and until clients come that look the same; it ends with the attack")
    func course() {
        bench.arrive(20, length: 60, isProved: true)
        #expect(bench.step(isAttacked: false).isEmpty)
        bench.arrive(10_000, length: 40)
        #expect(bench.step().count == 1)
        bench.arrive(5, length: 40)
        bench.arrive(30, length: 52)
        #expect(bench.step().count == 1)
        bench.arrive(5, length: 40, isProved: true)
        #expect(bench.step().isEmpty)
        #expect(!bench.isHostile(40))

        bench.arrive(10_000, length: 44)
        #expect(bench.step().count == 1)
        #expect(bench.step(isAttacked: false).isEmpty)
        #expect(!bench.isHostile(44))
    }
}
