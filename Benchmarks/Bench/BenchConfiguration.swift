import Glibc
import Lab

/// What the sensor is started with: everything on.
///
/// Floods are seen and reported but not stopped: the measured load is a flood, and a sensor that drops it
/// has less to do than one that forwards it. `when-overloaded: drop` for the same reason: what the kernel
/// passes around a full queue was not inspected.
enum BenchConfiguration {
    static func yaml(for lab: Lab, rules: String, _ contender: Contender = .flinch) -> String {
        let receiver = lab.machine("receiver")
        if contender == .mirror { return mirror(lab, rules) }
        let eve = contender == .mute ? "/dev/null" : lab.file("eve.json")
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
            events: {eve: \(eve)}

            """ + (contender == .sinks ? sinks(lab) : "")
    }

    /// The same without queues: everything that passes the bridge is listened to.
    private static func mirror(_ lab: Lab, _ rules: String) -> String {
        let receiver = lab.machine("receiver")
        return """
            sensor: {name: bench, workers: 0, control: \(control(lab)), state: \(lab.file("state"))}
            mirror: {interfaces: [br0]}
            floods: {sensitivity: medium, action: alert}
            guests: [{name: receiver, addresses: [\(receiver.ipv4), "\(receiver.ipv6)"], port: \(receiver.port)}]
            rules: {files: [\(rules)]}
            events: {eve: \(lab.file("eve.json"))}

            """
    }

    /// All that tell people, and a webhook that nobody answers.
    private static func sinks(_ lab: Lab) -> String {
        """
        sinks:
          - {type: store}
          - {type: syslog, to: "udp:127.0.0.1:5514"}
          - {type: webhook, url: "http://127.0.0.1:1/", concern: low}
          - {type: mail, server: "127.0.0.1:2525", security: none, from: a@bench, to: [b@bench], digest: 1, limit: 1, concern: low}
          - {type: snmp, to: "127.0.0.1:1162", version: 2c, community: {file: \(lab.file("community"))}, limit: 1, concern: low}

        """
    }

    static func writeSecret(in lab: Lab) throws {
        let path = try lab.write("public", to: "community")
        guard unsafe chmod(path, 0o600) == 0 else { throw LabError("cannot chmod \(path)") }
    }

    /// What the rule says of each packet of the flood (starter.rules).
    static let message = "Flinch UDP to port 0"

    /// A server for mails, one for traps and one for syslog's messages: says a word for each that is about the flood's
    /// packets.
    static let receivers = """
        import asyncio, email, email.policy, socket, threading
        from aiosmtpd.controller import Controller
        needle = b"\(message)"
        class Handler:
            async def handle_DATA(self, server, session, envelope):
                mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
                if needle.decode() in mail.get_body(("plain",)).get_content(): print("mail", flush=True)
                return "250 OK"
        Controller(Handler(), "127.0.0.1", 2525).start()
        def listen(port, word):
            place = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            place.bind(("127.0.0.1", port))
            def run():
                while True:
                    if needle in place.recv(65536): print(word, flush=True)
            threading.Thread(target=run, daemon=True).start()
        listen(1162, "trap")
        listen(5514, "message")
        print("ready", flush=True)
        asyncio.new_event_loop().run_forever()
        """

    static func control(_ lab: Lab) -> String { lab.file("flinchd.sock") }
}
