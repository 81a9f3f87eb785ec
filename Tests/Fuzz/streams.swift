import Flows
import Wire

/// Segments of one TCP stream, in any order, with any contents, and the receiver's acknowledgements; beside them a
/// model that knows of each place only the byte that came first. What is given to inspect is that stream, and
/// nothing passes that was not inspected with what stands before it.
@c(LLVMFuzzerTestOneInput)
public func fuzzStreams(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Input(start, count)
    var talk = FuzzedTalk(isInline: input.control & 1 == 0)
    input.withRest { bytes in
        var position = 0
        while position + 4 <= bytes.byteCount {
            let word = (0..<4).map { bytes.unsafeLoad(fromByteOffset: position + $0, as: UInt8.self) }
            position += 4
            talk.play(word)
        }
    }
    talk.end()
    return 0
}

private struct FuzzedTalk: ~Copyable {
    /// Numbers go round early.
    static let clientStart: UInt32 = 0xFFFF_F000
    static let guestStart: UInt32 = 7_000
    static let room = 20_000

    let isInline: Bool
    var table: FlowTable
    var time: UInt64 = 1_700_000_000_000_000_000
    /// By place: the byte that came first, −1 for none.
    var known = [Int16](repeating: -1, count: room)
    /// Whether a window had it as new; and as new together with the one before.
    var seen = [Bool](repeating: false, count: room)
    var joined = [Bool](repeating: false, count: room)
    /// Whether somebody passed who was looked at by himself.
    var loose = [Bool](repeating: false, count: room)
    /// What the guest has, without a gap, and what it said of that.
    var delivered = 0
    var acknowledged = 0
    /// Listening: behind the last byte that was given.
    var given = 0

    init(isInline: Bool) {
        self.isInline = isInline
        table = FlowTable(
            capacity: 4, variables: 4, streamBytes: 1 << 18,
            mode: FlowMode(isInline: isInline, midstream: false, overlap: .first), seed: 1)
        _ = send(toServer: true, 0, 0, 0x02, [])
        _ = send(toServer: false, 0, 1, 0x12, [])
        _ = send(toServer: true, 1, 1, 0x10, [])
    }

    /// Numbers are counted from the SYN's.
    mutating func send(
        toServer: Bool, _ place: Int, _ acknowledgement: Int, _ flags: UInt8, _ payload: [UInt8]
    ) -> FlowStep {
        let (from, to): (UInt8, UInt8) = toServer ? (1, 2) : (2, 1)
        let (source, destination) = toServer ? (40_000, 80) : (80, 40_000)
        let mine = toServer ? FuzzedTalk.clientStart : FuzzedTalk.guestStart
        let other = toServer ? FuzzedTalk.guestStart : FuzzedTalk.clientStart
        let number = flags & 0x10 == 0 ? 0 : other &+ UInt32(truncatingIfNeeded: acknowledgement)
        var packet: [UInt8] = [0x45, 0] + big16(40 + payload.count) + [0, 1, 0, 0, 64, 6, 0, 0]
        packet += [10, 0, 0, from, 10, 0, 0, to] + big16(source) + big16(destination)
        packet +=
            big32(mine &+ UInt32(truncatingIfNeeded: place)) + big32(number) + [0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]
        packet += payload
        time += 1_000_000
        let span = packet.span.bytes
        var step = FlowStep()
        table.track(Decoder.decode(span, as: .ip), span, vlan: 0, time: time, checksumIsGood: true, into: &step)
        // Looked at while the bytes are there.
        if toServer { check(&step) }
        return step
    }

    mutating func play(_ word: [UInt8]) {
        let offset = Int(Int8(bitPattern: word[1])) * (word[0] & 0x20 == 0 ? 1 : 37)
        let place = max(-300, min(FuzzedTalk.room - 3_000, delivered + offset))
        switch word[0] & 0x0F {
        case 12:
            // The guest says what it has, or less.
            let number = max(acknowledged, delivered - Int(word[1]))
            acknowledged = number
            _ = send(toServer: false, 1, 1 + number, 0x10, [])
        case 13:
            // It says that it has what was never sent.
            if isInline { _ = send(toServer: false, 1, 1 + FuzzedTalk.room + Int(word[1]), 0x10, []) }
        case 14:
            // A reset that the guest does not believe.
            if place > delivered { _ = send(toServer: true, 1 + FuzzedTalk.room + 70_000 + place, 1, 0x04, []) }
        case 15:
            // An end far ahead, which is none.
            _ = send(toServer: true, 1 + FuzzedTalk.room, 1, 0x11, [])
        default:
            let length = Int(word[2]) * (word[0] & 0x10 == 0 ? 1 : 9)
            let variant = word[3] & 7
            var text = (0..<length).map { index in UInt8(truncatingIfNeeded: (place + index) &* 7 &+ 13) }
            if variant > 4, length > 0 { text[Int(word[3] >> 3) * 61 % length] ^= variant }
            segment(place, text, flags: word[0] & 0xC0 == 0xC0 ? 0x38 : 0x18)
        }
    }

    private mutating func segment(_ place: Int, _ text: [UInt8], flags: UInt8) {
        // What lies before the first byte is nobody's.
        let refused = table.counters.refused
        let step = send(toServer: true, 1 + place, 1, flags, text)
        if table.counters.refused > refused {
            precondition(step.mustDrop == isInline && !step.isAdded, "what found no room passed")
        } else if isInline {
            passInline(place, text, step)
        } else {
            passListening(place, text)
        }
        while delivered < FuzzedTalk.room, known[delivered] >= 0 {
            if isInline, delivered > 0, !loose[delivered], !loose[delivered - 1] {
                precondition(joined[delivered], "two bytes were never looked at together")
            }
            delivered += 1
        }
    }

    private mutating func passInline(_ place: Int, _ text: [UInt8], _ step: FlowStep) {
        // The guest does not look at what it acknowledged.
        let first = max(0, acknowledged - place)
        var contradicts = false
        for index in text.indices.dropFirst(first) where place + index >= 0 {
            let byte = known[place + index]
            if byte >= 0, byte != Int16(text[index]) { contradicts = true }
        }
        if step.mustDrop {
            precondition(contradicts, "dropped without a reason")
            return
        }
        precondition(!contradicts || !step.isAdded, "a contradiction passed")
        for index in text.indices.dropFirst(first) where place + index >= 0 {
            let at = place + index
            if known[at] < 0 { known[at] = Int16(text[index]) }
            if !step.isAdded { loose[at] = true }
            precondition(seen[at] || loose[at], "a byte passed that was not inspected")
        }
    }

    private mutating func passListening(_ place: Int, _ text: [UInt8]) {
        for index in text.indices where place + index >= given && known[place + index] < 0 {
            known[place + index] = Int16(text[index])
        }
    }

    /// What is given to inspect is the stream.
    private mutating func check(_ step: inout FlowStep) {
        repeat {
            let (bytes, length) = table.contiguous(step)
            guard step.window.freshLength > 0 else { return }
            precondition(length == step.window.historyLength + step.window.freshLength)
            precondition(step.window.historyLength <= StreamWindow.historyLimit)
            // Without some of the bytes that were called urgent.
            if step.reading != 0 { continue }
            let start = Int(step.window.offset)
            for index in 0..<Int(length) {
                let at = start + index
                precondition(at < FuzzedTalk.room)
                // A segment's own bytes are not known yet.
                precondition(known[at] < 0 || known[at] == Int16(bytes[index]) || loose[at], "not what came first")
                let isFresh = index >= Int(step.window.historyLength)
                if isFresh { seen[at] = true }
                if isFresh, index > 0 { joined[at] = true }
                if isFresh, !isInline {
                    precondition(at >= given, "given twice")
                    given = at + 1
                }
            }
        } while step.hasMore && table.nextWindow(&step)
    }

    /// Listening: at the end all that is known was given.
    mutating func end() {
        guard !isInline else { return }
        table.endFlows()
        while var step = table.nextEnding() {
            while table.nextWindow(&step) {
                var window = step
                window.hasMore = false
                if step.toServer { check(&window) }
            }
        }
        for at in 0..<FuzzedTalk.room where known[at] >= 0 { precondition(seen[at], "a byte was never given") }
    }
}

private func big16(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
}

private func big32(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}
