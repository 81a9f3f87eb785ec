import CLinux
import Evidence
import Glibc
import Synchronization

/// What of evidence is told in a status. For any thread.
public struct EvidenceFigures: Sendable, Equatable {
    /// Captures in the folder, and their bytes.
    public var files = 0
    public var bytes = 0
    /// Events of high concern that should have one and have none: there were too many at once, the packets were
    /// overwritten already, or the folder could not be written.
    public var missed: UInt64 = 0
    public var lastError: String?
}

/// Writes captures of the flows in which something of high concern was found: what the worker has kept of the flow up
/// to then, and what it keeps of it in the seconds after. Used by the collector's thread alone, but for `figures`.
final class EvidenceRecorder: @unchecked Sendable {
    /// One capture that still grows.
    private struct Open {
        var ring: Int
        var group: UInt64
        var name: String
        var file: Int32
        var size: Int
        /// Monotonic time until which it does.
        var end: UInt64
    }

    private let rings: [PacketRing]
    private let fileLimit: Int
    private var folder: EvidenceFolder
    private var open: [Open] = []
    /// Packets of each ring that were looked at for those that are open.
    private var seen: [UInt64]
    /// New captures that may be made now, and when that was reckoned.
    private var allowance = EvidenceRecorder.aSecond
    private var reckoned: UInt64 = 0
    private let shared = Mutex(EvidenceFigures())

    /// Captures that may grow at once, those that may be begun in a second, and for how long one grows, nanoseconds.
    private static let openLimit = 32
    private static let aSecond = 10.0
    private static let follow: UInt64 = 3_000_000_000

    /// `fileLimit` is of one capture, `limit` of all together; bytes.
    init(rings: [PacketRing], folder path: String, fileLimit: Int, limit: Int) throws(EvidenceError) {
        self.rings = rings
        self.fileLimit = fileLimit
        seen = Array(repeating: 0, count: rings.count)
        folder = try EvidenceFolder(path: path, limit: limit)
        publish()
    }

    deinit { for capture in open { close(capture.file) } }

    var figures: EvidenceFigures { shared.withLock { $0 } }

    /// The path of the capture for an event of worker `ring`; nil for one that is to have none, or cannot.
    func capture(_ event: Event, ring: Int) -> String? {
        // What stands for many says nothing new of the first.
        guard event.finding.concern == .high, event.finding.source != .tag, event.summary.count == 0,
            event.evidence != 0
        else { return nil }
        if let known = open.first(where: { $0.ring == ring && $0.group == event.evidence }) {
            return path(known.name)
        }
        guard isAllowed() else { return miss("more than \(Int(EvidenceRecorder.aSecond)) a second") }
        do throws(EvidenceError) {
            return try begin(event, ring)
        } catch {
            return miss(error.description)
        }
    }

    /// The packet of an event of worker `ring`, as far as it is kept; nil where it is not, or no more, and for what
    /// stands for many.
    func packet(_ event: Event, ring: Int) -> KeptPacket? {
        guard event.evidence != 0, event.summary.count == 0 else { return nil }
        var packet: KeptPacket?
        let end = min(event.keptPacket + 1, rings[ring].written)
        rings[ring].read(from: event.keptPacket, to: end, where: { $0 == event.evidence }) {
            packet = KeptPacket(link: CaptureWriter.linkHeader($0, $1), bytes: $1)
        }
        return packet
    }

    /// Takes over what came since the last call to captures that still grow, and ends those whose time is over; all
    /// with `isLast`.
    func follow(isLast: Bool = false) {
        guard !open.isEmpty else { return }
        for ring in rings.indices where open.contains(where: { $0.ring == ring }) {
            let written = rings[ring].written
            let groups = Set(open.filter { $0.ring == ring }.map(\.group))
            rings[ring].read(from: seen[ring], to: written, where: groups.contains) { entry, bytes in
                append(ring, entry, bytes)
            }
            seen[ring] = written
        }
        let now = flinch_monotonic()
        open.removeAll { capture in
            guard isLast || capture.end <= now || capture.size >= fileLimit else { return false }
            close(capture.file)
            return true
        }
        publish()
    }

    private func begin(_ event: Event, _ ring: Int) throws(EvidenceError) -> String? {
        // The others of this ring first: it is then seen up to one place for all.
        follow()
        let written = rings[ring].written
        var packets: [(PacketRing.Entry, [UInt8])] = []
        rings[ring].read(from: 0, to: written, where: { $0 == event.evidence }) { packets.append(($0, $1)) }
        guard !packets.isEmpty else { return miss("its packets were overwritten; raise evidence.memory") }
        let flow = max(1, event.flow & EVEEncoder.flowMask)
        let name = EvidenceFolder.name(time: event.arrival.time, flow: flow)
        let file = try folder.create(name, room: fileLimit)
        var capture = Open(
            ring: ring, group: event.evidence, name: name, file: file, size: 0,
            end: flinch_monotonic() &+ EvidenceRecorder.follow)
        guard write(CaptureWriter.header, to: &capture) else {
            let problem = "\(path(name)): \(unsafe String(cString: strerror(errno)))"
            close(file)
            folder.remove(name)
            throw EvidenceError(description: problem)
        }
        for (entry, bytes) in packets { _ = write(CaptureWriter.record(entry, bytes), to: &capture) }
        seen[ring] = written
        if open.count < EvidenceRecorder.openLimit {
            open.append(capture)
        } else {
            close(file)
        }
        publish()
        return path(name)
    }

    private func append(_ ring: Int, _ entry: PacketRing.Entry, _ bytes: [UInt8]) {
        for index in open.indices where open[index].ring == ring && open[index].group == entry.group {
            _ = write(CaptureWriter.record(entry, bytes), to: &open[index])
        }
    }

    /// Writes a whole record or none of it. False, and nothing more for this capture, where it fails.
    private func write(_ record: [UInt8], to capture: inout Open) -> Bool {
        guard capture.size + record.count <= fileLimit else {
            capture.size = fileLimit
            return false
        }
        let count = unsafe record.withUnsafeBytes { unsafe Glibc.write(capture.file, $0.baseAddress, $0.count) }
        guard count == record.count else {
            let code = errno
            if count > 0 { ftruncate(capture.file, off_t(capture.size)) }
            note("\(path(capture.name)): \(count < 0 ? unsafe String(cString: strerror(code)) : "no space left")")
            capture.size = fileLimit
            return false
        }
        capture.size += count
        folder.grow(capture.name, by: count)
        return true
    }

    private func path(_ name: String) -> String { folder.path + "/" + name }

    private func isAllowed() -> Bool {
        let now = flinch_monotonic()
        let passed = reckoned == 0 ? 0 : Double(now - reckoned) / 1e9
        reckoned = now
        allowance = min(EvidenceRecorder.aSecond, allowance + passed * EvidenceRecorder.aSecond)
        guard allowance >= 1 else { return false }
        allowance -= 1
        return true
    }

    private func miss(_ why: String) -> String? {
        shared.withLock { $0.missed += 1 }
        note(why)
        return nil
    }

    private func note(_ problem: String) { shared.withLock { $0.lastError = problem } }

    private func publish() {
        let (files, bytes) = (folder.count, folder.size)
        shared.withLock { figures in
            figures.files = files
            figures.bytes = bytes
        }
    }
}
