import Lab

/// What the sensor is started with: everything on.
///
/// Floods are seen and reported but not stopped: the measured load is a flood, and a sensor that drops it
/// has less to do than one that forwards it. `when-overloaded: drop` for the same reason: what the kernel
/// passes around a full queue was not inspected.
enum BenchConfiguration {
    static func yaml(for lab: Lab, rules: String) -> String {
        let receiver = lab.machine("receiver")
        return """
            sensor: {name: bench, cores: [\(Stand.consumerCore)], control: \(control(lab)), state: \(lab.file("state"))}
            queues: {first: 0, length: 16384}
            divert:
              bridges: [br0]
              when-overloaded: drop
            floods: {sensitivity: medium, action: alert}
            guests:
              - name: receiver
                addresses: [\(receiver.ipv4), "\(receiver.ipv6)"]
                port: \(receiver.port)
            rules: {files: [\(rules)]}
            events: {eve: \(lab.file("eve.json"))}

            """
    }

    static func control(_ lab: Lab) -> String { lab.file("flinchd.sock") }
}
