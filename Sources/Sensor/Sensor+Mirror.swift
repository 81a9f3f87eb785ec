import CLinux
import Control
import Intake
import Logging

/// What is listened to: interfaces that go away and come back.
extension Sensor {
    func followMirror() {
        guard crew.mirror != nil else { return }
        for news in crew.follow(follower.links, flinch_monotonic()) { tell(news) }
    }

    private func tell(_ news: MirrorPorts.News) {
        let why = news.problem.map { ": \($0)" } ?? ""
        switch news.condition {
        case .gone:
            log.warning(
                "\(news.interface) is gone\(why); nothing of it is seen until there is one again (flinch mirror install)"
            )
        case .down:
            log.warning(
                "\(news.interface) is down; nothing of it is seen until it is up (ip link set \(news.interface) up)")
        case .listening:
            log.notice(
                "\(news.interface) is listened to again; what came in \(news.missing / 1_000_000) ms was not seen")
        }
    }
}

extension Status.Mirror {
    init(_ port: MirrorPort, workers: Int) {
        self.init(interface: port.interface, workers: workers)
        let figures = port.figures
        packets = figures.packets
        bytes = figures.bytes
        left = figures.left
        errors = figures.errors
        condition = figures.condition.rawValue
        missing = Double(figures.missing) / 1e9
        came = figures.kernel.came
        dropped = figures.kernel.dropped
        full = figures.kernel.full
    }
}
