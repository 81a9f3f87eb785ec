import Lab
import Testing

@Suite(.serialized)
struct LabItself {
    @Test func machinesReachEachOther() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let lab = try Lab.start()
        print("built in", clock.now - start)
        defer { lab.stop() }
        #expect(try lab.client.run("ping", "-c1", "-W1", lab.guest("web").ipv4).contains("1 received"))
        #expect(try lab.outside.run("ping", "-c1", "-W1", lab.guest("dns").ipv6).contains("1 received"))
        let t = clock.now
        lab.stop()
        print("stopped in", clock.now - t)
    }
}
