// swift-tools-version: 6.2
import PackageDescription

/// The one list of settings every Swift target is built with.
///
/// `Lifetimes` lets a header view borrow the bytes that it looks at (`~Escapable`), so that a
/// view which outlives its packet does not compile. `AddressableParameters` lets a record be passed by its
/// address: `@_addressable` stands where the packet path would else copy it for every call, fields just
/// written being read back as one, which stalls the processor. It does nothing in a generic function, whose
/// specialisations begin with a copy. Cross-module optimisation is what makes the
/// rooms free: without it each small accessor that crosses one is a call.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .enableExperimentalFeature("AddressableParameters"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

func room(
    _ name: String, _ imports: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .target(
        name: name, dependencies: imports, exclude: exclude, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ imports: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: imports, exclude: exclude, swiftSettings: settings)
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let database: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "flinch",
    products: [
        .executable(name: "flinchd", targets: ["flinchd"]),
        .executable(name: "flinch", targets: ["flinch"]),
        // Preloaded into the sensor by the benchmarks.
        .library(name: "CAllocations", type: .dynamic, targets: ["CAllocations"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // What the kernel and C libraries offer.
        .target(name: "CLinux"),
        .systemLibrary(name: "CNetfilter", pkgConfig: "libnetfilter_queue"),
        .systemLibrary(name: "CNftables", pkgConfig: "libnftables"),
        .systemLibrary(name: "CVectorscan", pkgConfig: "libhs"),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap"),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8"),
        .systemLibrary(name: "CRedis"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CNetSNMP"),
        .systemLibrary(name: "CXML2", pkgConfig: "libxml-2.0"),

        // The packet path, in the order in which a packet passes it.
        room("Wire"),
        room("Evidence", ["Wire"]),
        room("Topology", ["Evidence", "Wire"]),
        room("Conformance", ["Evidence", "Wire"]),
        room("Sketches", ["CLinux"]),
        room("Floods", ["Evidence", "Sketches", "Wire"]),
        room("Behaviour", ["Evidence", "Sketches", "Wire"]),
        room("Flows", ["Wire"]),
        // The rules are installed as a file and given by path.
        room("Signatures", ["CPCRE2", "CVectorscan", "Evidence", "Flows", "Wire"], exclude: ["Rules"]),
        room("Policy", ["Evidence"]),
        room(
            "Inspection",
            [
                "Behaviour", "Conformance", "Evidence", "Floods", "Flows", "Policy", "Signatures", "Topology", "Wire",
            ]),

        // What surrounds it: where packets come from, the kernel's rules, where events go.
        room("Intake", ["Evidence", "Wire", "CLinux", "CNetfilter", "CPcap"]),
        room(
            "Offload", ["Evidence", "Wire", "CLinux", "CNetfilter", "CNftables"],
            resources: [.embedInCode("Templates")]),
        room("Inventory", ["Topology", "Wire", "CLinux", "CXML2"]),
        room("Events", ["Evidence", "Wire", "CLinux", "COpenSSL"]),
        room("Store", [database]),
        room("Sinks", ["Evidence", "Events", "Store", "CLinux", "CCurl", "CNetSNMP", "COpenSSL", "CRedis"]),
        room(
            "Configuration",
            [
                "Behaviour", "Conformance", "Events", "Evidence", "Floods", "Flows", "Intake", "Inventory", "Offload",
                "Policy",
                "Signatures", "Sinks", "Store", "Topology", "Wire", yams,
            ]),
        room(
            "Sensor",
            [
                "Behaviour", "CLinux", "Configuration", "Conformance", "Control", "Evidence", "Events", "Floods",
                "Flows", "Inspection", "Intake", "Inventory", "Offload", "Policy", "Signatures", "Sinks", "Topology",
                "Wire", log,
            ]),
        room("Control", ["CLinux"]),
        room("Lab", ["CLinux", "Control"]),

        .executableTarget(
            name: "flinchd", dependencies: ["Configuration", "Sensor", arguments, log],
            swiftSettings: settings),
        .executableTarget(
            name: "flinch",
            dependencies: [
                "Behaviour", "CLinux", "Configuration", "Conformance", "Control", "Evidence", "Events", "Floods",
                "Inspection", "Intake", "Inventory", "Lab", "Offload", "Policy",
                "Sensor", "Signatures", "Sinks", "Store", "Topology", "Wire", arguments, log,
            ],
            swiftSettings: settings),

        // The benchmarks: what Flinch is compared with, the traffic, and the comparison.
        .executableTarget(name: "flinch-floor", path: "Benchmarks/Floor"),
        .executableTarget(name: "flinch-load", path: "Benchmarks/Load"),
        .target(name: "CAllocations", path: "Benchmarks/CAllocations"),
        .target(name: "CBaseline", path: "Benchmarks/CBaseline"),
        .executableTarget(
            name: "flinch-bench",
            dependencies: [
                "Behaviour", "CAllocations", "CBaseline", "CVectorscan", "Conformance", "Control", "Events", "Evidence",
                "Floods", "Inspection", "Intake", "Lab", "Policy", "Signatures", "Topology", "Wire",
                arguments, histogram,
            ],
            path: "Benchmarks/Bench", swiftSettings: settings),

        tests("WireTests", ["Wire"]),
        tests("ConformanceTests", ["Conformance", "Evidence", "Wire"]),
        tests("TopologyTests", ["Topology", "Evidence", "Wire"]),
        tests("FloodsTests", ["Floods", "Evidence", "Sketches", "Wire"]),
        tests("BehaviourTests", ["Behaviour", "Evidence", "Wire"]),
        tests("FlowsTests", ["Flows", "Wire"]),
        tests("SignaturesTests", ["Signatures", "Evidence", "Flows", "Wire", "Intake"]),
        tests("PolicyTests", ["Policy", "Evidence", "Wire"]),
        tests(
            "InspectionTests",
            [
                "Inspection", "Behaviour", "Conformance", "Floods", "Flows", "Policy", "Signatures", "Topology",
                "Evidence", "Wire",
                "Intake", "Sensor", "Configuration", "Events", "Sinks", "Store", "CLinux",
            ], exclude: ["Captures"]),
        tests("InventoryTests", ["Inventory", "Topology", "Wire", "CLinux"], exclude: ["Fixtures"]),
        tests("IntakeTests", ["Intake", "Evidence", "Wire", "CLinux", "CNetfilter"]),
        tests("OffloadTests", ["Offload", "Evidence", "Wire", "CLinux"]),
        tests("EventsTests", ["Events", "Evidence", "Wire", "CLinux", "Lab"]),
        tests("StoreTests", ["Store", "Lab", database]),
        tests("SinksTests", ["Sinks", "Events", "Evidence", "Store", "CLinux", "Lab"]),
        tests(
            "ConfigurationTests",
            [
                "Behaviour", "Configuration", "Conformance", "Events", "Evidence", "Floods", "Flows", "Inventory",
                "Offload", "Signatures", "Sinks",
                "Store", "Topology", "Wire",
            ]),
        tests(
            "SensorTests",
            [
                "Configuration", "Sensor", "Inventory", "Topology", "Events", "Evidence", "Inspection", "Signatures",
                "Sinks", "Wire",
            ]),
        tests("ControlTests", ["Control", "CLinux", "Lab"]),
        tests("IntegrationTests", ["Lab", "Control", "Store"]),
    ]
)
