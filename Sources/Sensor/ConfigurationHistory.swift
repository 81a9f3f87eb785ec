import Control
import Foundation
import Glibc
import Synchronization

/// The configurations that were taken over, with who did it and when: a file each in a folder of mode 700, the newest
/// `kept` of them. Without the folder there is only what is running.
final class ConfigurationHistory: Sendable {
    static let kept = 64

    private struct State {
        /// Without their texts; the oldest first.
        var changes: [ConfigurationChange]
        var running: ConfigurationChange
    }

    private let folder: String
    private let state: Mutex<State>
    /// Why nothing is kept, or something could not be read; nil if all is well.
    private let trouble = Mutex<String?>(nil)

    /// `text` is what the sensor starts with, from `path`; `time` in nanoseconds since the epoch.
    init(state folder: String, path: String, text: String, time: UInt64) {
        self.folder = folder + "/history"
        unsafe _ = mkdir(folder, 0o750)
        unsafe _ = mkdir(self.folder, 0o700)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []
        let changes = names.compactMap { Int($0.prefix { $0 != "." }) }.sorted()
            .compactMap { ConfigurationHistory.read(folder + "/history/\($0).json") }
        let last = changes.last ?? ConfigurationChange(number: 0, time: 0, who: "", how: "", comment: "", path: "")
        // Whoever asks may stand in another folder.
        let path = URL(fileURLWithPath: path).path
        let isKnown = last.path == path && last.text == text
        state = Mutex(State(changes: changes.map(\.listed), running: last))
        guard !isKnown else { return }
        record(text: text, path: path, ReloadDesk.Order(how: "start"), time: time)
    }

    /// Why the last change was not written down; nil if it was.
    var problem: String? { trouble.withLock { $0 } }

    var running: ConfigurationChange { state.withLock { $0.running } }

    var list: [ConfigurationChange] { state.withLock { $0.changes } }

    /// With its text; nil for one that is not there, or no longer.
    func change(_ number: Int) -> ConfigurationChange? {
        running.number == number ? running : ConfigurationHistory.read(file(number))
    }

    /// Takes down what is running from now on. The same text as before is no change.
    @discardableResult
    func record(text: String, path: String, _ order: ReloadDesk.Order, time: UInt64) -> ConfigurationChange {
        let path = URL(fileURLWithPath: path).path
        let (change, old) = state.withLock { state -> (ConfigurationChange?, [Int]) in
            guard state.running.text != text || state.running.path != path else { return (nil, []) }
            let change = ConfigurationChange(
                number: (state.changes.last?.number ?? 0) + 1, time: Double(time) / 1e9, who: order.who,
                how: order.how, comment: order.comment, path: path, text: text)
            state.running = change
            state.changes.append(change.listed)
            let old = state.changes.prefix(max(0, state.changes.count - ConfigurationHistory.kept)).map(\.number)
            state.changes.removeFirst(old.count)
            return (change, old)
        }
        guard let change else { return running }
        let failure = ConfigurationHistory.write(change, to: file(change.number))
        trouble.withLock { $0 = failure }
        for number in old { unsafe unlink(file(number)) }
        return change
    }

    private func file(_ number: Int) -> String { "\(folder)/\(number).json" }

    private static func read(_ path: String) -> ConfigurationChange? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        return try? JSONDecoder().decode(ConfigurationChange.self, from: data)
    }

    /// Whole or not at all: under another name, then renamed. Returns why not.
    private static func write(_ change: ConfigurationChange, to path: String) -> String? {
        guard let bytes = try? [UInt8](JSONEncoder().encode(change)) else { return "it cannot be encoded" }
        let new = path + ".new"
        unsafe unlink(new)
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return "\(new): \(unsafe String(cString: strerror(errno)))" }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return "\(new): \(unsafe String(cString: strerror(errno)))" }
            done += count
        }
        guard fsync(descriptor) == 0, unsafe rename(new, path) == 0 else {
            return "\(path): \(unsafe String(cString: strerror(errno)))"
        }
        return nil
    }
}

extension ConfigurationChange {
    /// As it stands in a list.
    fileprivate var listed: ConfigurationChange {
        var copy = self
        copy.text = nil
        return copy
    }
}
