import Sinks
import Testing

struct EndpointTests {
    @Test(arguments: [
        ("unix:/run/a.sock", Endpoint(.unix, host: "/run/a.sock")),
        ("unix-dgram:/dev/log", Endpoint(.unixDatagram, host: "/dev/log")),
        ("tcp:192.0.2.9:514", Endpoint(.tcp, host: "192.0.2.9", port: 514)),
        ("udp:[2001:db8::7]:514", Endpoint(.udp, host: "2001:db8::7", port: 514)),
        ("tcp:log.example.net:6514", Endpoint(.tcp, host: "log.example.net", port: 6514)),
    ])
    func roundTrip(_ text: String, _ endpoint: Endpoint) {
        #expect(Endpoint(text) == endpoint)
        #expect(endpoint.description == text)
    }

    @Test(arguments: [
        "", "tcp", "tcp:", "tcp:host", "tcp:host:", "tcp:host:0", "tcp:host:70000", "tcp::514", "tcp:2001:db8::7:514",
        "tcp:a b:1", "unix:run/a.sock", "unix:/", "http:host:80", "unix:/" + String(repeating: "x", count: 107),
    ])
    func refused(_ text: String) { #expect(Endpoint(text) == nil) }
}
