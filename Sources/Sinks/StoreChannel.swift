import Foundation
import Store

/// The store: a database of events and incidents.
final class StoreChannel: Channel {
    let batchLimit = 512
    private let settings: StoreSettings
    private var writer: StoreWriter?

    /// Makes the database at once, for readers that come before the first event; where that fails, it is
    /// tried again when there is one.
    init(_ settings: StoreSettings) {
        self.settings = settings
        writer = try? StoreWriter(path: settings.path, retention: settings.retention)
    }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        var events: [StoredEvent] = []
        var rates: [StoredRate] = []
        var delivery = Delivery(taken: lines.count)
        for line in lines {
            guard let notice = Notice(line: line), let time = Notice.microseconds(notice.time) else {
                delivery.refused += 1
                delivery.problem = "a line that is no event"
                continue
            }
            if notice.kind == "stats" {
                rates += notice.rates.map { rate in
                    StoredRate(
                        time: time / 1_000_000, guest: rate.name, packetsIn: Int64(clamping: rate.packets_in),
                        bitsIn: Int64(clamping: rate.bits_in), packetsOut: Int64(clamping: rate.packets_out),
                        bitsOut: Int64(clamping: rate.bits_out))
                }
            } else {
                events.append(StoreChannel.event(notice, time, line))
            }
        }
        do {
            let writer = try self.writer ?? StoreWriter(path: settings.path, retention: settings.retention)
            self.writer = writer
            try writer.write(events, rates: rates)
        } catch {
            // Opened anew: somebody may have taken the file away.
            writer = nil
            return .failed("\(settings.path): \(error)")
        }
        return delivery
    }

    private static func event(_ notice: Notice, _ time: Int64, _ line: [UInt8]) -> StoredEvent {
        StoredEvent(
            time: time, kind: notice.kind, concern: ["low": 1, "medium": 2, "high": 3][notice.concern] ?? 0,
            group: notice.group, title: notice.title, guest: notice.guest, source: notice.sourceAddress,
            destination: notice.destinationAddress, verdict: notice.verdict, flood: notice.flood?.class,
            isFloodEnd: notice.flood?.phase == "close", count: notice.count,
            last: Notice.microseconds(notice.last), line: String(decoding: line.dropLast(), as: UTF8.self))
    }
}
