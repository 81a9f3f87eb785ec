import Glibc
import Testing
import Wire

@testable import Offload

/// These run with inet rules, which every kernel that we develop on has; Tests/VM has the others.
@Suite("Rules in the kernel")
struct InstallTests {
    static let plan = DiversionPlan(
        bridges: ["v0"], queueCount: 2, excluded: TrafficSelection(prefixes: [Prefix("192.0.2.0/24")!]))

    static func rules() throws -> String { try shell("nft -s list ruleset") }

    @Test("Installed, the same again, and removed: nothing of others changes")
    func twice() throws {
        try inNetworkNamespace {
            try shell(
                "nft 'add table bridge other; add chain bridge other c { type filter hook forward priority 0; }'"
            )
            try shell("nft 'add table inet other; add chain inet other c; add counter inet other diverted'")
            try shell("nft 'add rule inet other c accept comment \"digest=1 queues=0+1 when-stopped=pass\"'")
            let before = try InstallTests.rules()
            #expect(try Diversion.status() == nil)
            #expect(try Diversion.counters() == nil)
            #expect(try Diversion.remove() == false)

            let diversion = try Diversion(plan: InstallTests.plan)
            #expect(try diversion.install(.inet) == .installed)
            let handles = try shell("nft -a list ruleset")
            #expect(handles.contains("queue num 0-1 bypass"))
            #expect(try diversion.install(.inet) == .alreadyInstalled)
            #expect(try shell("nft -a list ruleset") == handles)

            let status = try #require(try Diversion.status())
            #expect(status.backend == .inet)
            #expect(status.diverting)
            #expect(status.digest == diversion.digest(.inet))
            #expect(status.queueCount == 2)
            #expect(status.counters == DiversionCounters())
            #expect(try Diversion.counters() == DiversionCounters())

            #expect(try Diversion.remove())
            #expect(try InstallTests.rules() == before)
            #expect(try Diversion.remove() == false)
        }
    }

    @Test("br_netfilter is switched back, where it was off")
    func switches() throws {
        try inNetworkNamespace {
            let v6 = "/proc/sys/net/bridge/bridge-nf-call-ip6tables"
            try BridgeNetfilter.set(.init(on: [false, true, false]))
            let diversion = try Diversion(plan: InstallTests.plan)
            try diversion.install(.inet)
            #expect(try BridgeNetfilter.read() == .allOn)
            // Another plan: the former values are those of before the first.
            var other = InstallTests.plan
            other.queueCount = 1
            #expect(try Diversion(plan: other).install(.inet) == .replaced)
            #expect(try Diversion.status()?.bridgeNetfilter.map(\.wasOn) == [false, true, false])
            // Somebody switches it off: the next install sets it right.
            try SmallFile.write("0", to: v6)
            #expect(try Diversion(plan: other).install(.inet) == .alreadyInstalled)
            #expect(try BridgeNetfilter.read() == .allOn)
            try Diversion.remove()
            #expect(try BridgeNetfilter.read() == .init(on: [false, true, false]))
        }
    }

    @Test("What somebody took out comes back", arguments: ["forward", "queues", "divert"])
    func damaged(chain: String) throws {
        try inNetworkNamespace {
            let diversion = try Diversion(plan: InstallTests.plan)
            try diversion.install(.inet)
            let whole = try InstallTests.rules()
            try shell("nft flush chain inet flinch \(chain)")
            #expect(try diversion.install(.inet) == .replaced)
            #expect(try InstallTests.rules() == whole)
        }
    }

    @Test("Every plan can follow every other")
    func replaced() throws {
        try inNetworkNamespace {
            for name in ["v0", "v1"] { try shell("ip link add \(name) type bridge") }
            // This kernel may not know `meta ibrname`.
            let possible = RenderTests.everyPlan.filter { $0.bridges.isEmpty || $0.otherProtocols != .drop }
            for plan in possible + possible.reversed() {
                let diversion = try Diversion(plan: plan)
                try diversion.install(.inet)
                let rules = try InstalledRules.read().rules
                #expect(rules.filter { $0.value > 0 } == diversion.expectedRules(.inet))
                #expect(try diversion.install(.inet) == .alreadyInstalled)
                // What was needed once stays, emptied: its hooks must not go while packets wait.
                if plan.otherProtocols == .drop { #expect(try shell("nft list tables").contains("bridge flinch")) }
            }
            try Diversion.remove()
            #expect(try InstallTests.rules().isEmpty)
        }
    }

    @Test("Quiet: hooks stay, nothing is diverted, install fills them again")
    func quiesce() throws {
        try inNetworkNamespace {
            let diversion = try Diversion(plan: InstallTests.plan)
            try diversion.install(.inet)
            let whole = try InstallTests.rules()
            try Diversion.quiesce()
            let rules = try InstallTests.rules()
            #expect(rules.contains("hook forward") && !rules.contains("goto") && !rules.contains("queue num"))
            #expect(try Diversion.status()?.diverting == false)
            try Diversion.quiesce()
            #expect(try diversion.install(.inet) == .replaced)
            #expect(try InstallTests.rules() == whole)
            try Diversion.quiesce()
            #expect(try Diversion.remove())
            #expect(try InstallTests.rules().isEmpty)
        }
    }

    @Test("A refused install leaves nothing behind")
    func refused() throws {
        try inNetworkNamespace {
            // A chain of that name that is no base chain: nft refuses to make it one.
            try shell("nft 'add table inet flinch; add chain inet flinch forward'")
            let before = try InstallTests.rules()
            let error = #expect(throws: OffloadError.self) {
                try Diversion(plan: InstallTests.plan).install(.inet)
            }
            #expect(error?.message.hasPrefix("installing the rules: nft said: ") == true)
            #expect(try shell("nft list chain inet flinch forward") == before)
            #expect(try BridgeNetfilter.read() != .allOn)
        }
    }

    @Test("The backend is found by asking the kernel, which stays as it is")
    func detect() throws {
        try inNetworkNamespace {
            let backend = try Diversion.detectBackend()
            #expect(try InstallTests.rules().isEmpty)
            #expect(try Diversion(plan: DiversionPlan()).install(backend) == .installed)
            #expect(try Diversion.status()?.backend == backend)
        }
    }

    @Test("Without the capability the message says so")
    func unprivileged() throws {
        try inNetworkNamespace {
            let capabilities = try Capabilities()
            try capabilities.setEffective(false)
            defer { try? capabilities.setEffective(true) }
            let error = #expect(throws: OffloadError.self) { _ = try Diversion.detectBackend() }
            #expect(error?.kind == .notPermitted)
            #expect(error?.message.contains("CAP_NET_ADMIN") == true)
            let second = #expect(throws: OffloadError.self) { _ = try Diversion.remove() }
            #expect(second?.kind == .notPermitted)
        }
    }
}

/// The capabilities of the calling thread: capget(2), capset(2). Glibc has the functions and no header.
private struct Capabilities {
    typealias Call = @convention(c) (UnsafePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> CInt
    /// _LINUX_CAPABILITY_VERSION_3, this thread.
    let header: [UInt32] = [0x2008_0522, 0]
    /// Effective, permitted and inheritable, twice.
    let words: [UInt32]

    init() throws {
        var words = [UInt32](repeating: 0, count: 6)
        let result = unsafe try Capabilities.call("capget")(header, &words)
        try #require(result == 0)
        self.words = words
    }

    func setEffective(_ on: Bool) throws {
        var words = words
        if !on { (words[0], words[3]) = (0, 0) }
        let result = unsafe try Capabilities.call("capset")(header, &words)
        try #require(result == 0)
    }

    private static func call(_ name: String) throws -> Call {
        let symbol = unsafe try #require(unsafe dlsym(nil, name))
        return unsafe unsafeBitCast(symbol, to: Call.self)
    }
}
