import Foundation
import Logging

/// Log lines on standard error: `<3>queue 0 is …`, with the syslog priority in front that journald takes as
/// the line's level when it reads our standard error (sd-daemon(3)); elsewhere the time and the level.
struct ErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let toJournal = ProcessInfo.processInfo.environment["JOURNAL_STREAM"] != nil

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text = event.message.description
        let line =
            toJournal ? "<\(ErrorLog.priority(event.level))>\(text)\n" : "\(ErrorLog.time()) \(event.level): \(text)\n"
        // One write a line, so that lines of several threads do not mix.
        FileHandle.standardError.write(Data(line.utf8))
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func time() -> String {
        Date().formatted(.iso8601.time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }
}
