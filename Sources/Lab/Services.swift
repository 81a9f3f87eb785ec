import Foundation

/// The servers of the guests, all real but SMB.
public struct Services: Sendable {
    private let programs: [Program]
    private let smb: Listener

    /// Longer than a use of the lab, unless it says otherwise.
    public static let limit = Duration.seconds(900)

    /// nginx in `web` and `shop` (`/` has 1 KB, `/large` 1 MB), dnsmasq in `dns` and `watch` that know `www.lab`, an
    /// iperf3 server in `web`, something that speaks SMB in `smb`. Returns when all of them answer.
    public static func start(in lab: Lab, limit: Duration = limit) throws -> Services {
        try Requirements.programs()
        let web = lab.guest("web")
        let servers = try ["web", "shop"].map { name in
            try lab.guest(name).start(["nginx", "-c", nginxConfiguration(lab, name)], limit: limit)
        }
        let iperf = try web.start(["iperf3", "--server"], limit: limit)
        let resolvers = try ["dns", "watch"].map { name in
            try lab.guest(name).start(
                [
                    "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                    "--user=root", "--pid-file=", "--cache-size=0",
                    "--host-record=www.lab,\(web.ipv4),\(web.ipv6)",
                ], limit: limit)
        }
        let smb = try Listener(on: lab.guest("smb"), ports: SMBResponder.ports, reply: SMBResponder.reply)
        let services = Services(programs: servers + [iperf] + resolvers, smb: smb)
        try services.waitUntilReady(lab)
        return services
    }

    private func waitUntilReady(_ lab: Lab) throws {
        let (web, dns, shop) = (lab.guest("web"), lab.guest("dns"), lab.guest("shop"))
        let ready = eventually(within: .seconds(10), every: .milliseconds(50)) {
            programs.allSatisfy { $0.ended == nil }
                && answers { try web.run("ss", "-Hltn").contains(":80") }
                && answers { try shop.run("ss", "-Hltn").contains(":80") }
                && answers { try web.run("ss", "-Hltn").contains(":5201") }
                && answers { try dns.run("ss", "-Hlun").contains(":53") }
        }
        guard ready else {
            let said = programs.map { "\($0.title): \($0.complained)" }.joined(separator: "\n")
            throw LabError("the servers of the guests did not start:\n\(said)")
        }
    }

    private func answers(_ question: () throws -> Bool) -> Bool { (try? question()) ?? false }

    private static func nginxConfiguration(_ lab: Lab, _ name: String) throws -> String {
        let pages = lab.file("www")
        try? FileManager.default.createDirectory(atPath: pages, withIntermediateDirectories: true)
        try lab.write(String(repeating: "a calm page. ", count: 79), to: "www/index.html")
        try lab.write(String(repeating: "a long page. ", count: 80_660), to: "www/large")
        return try lab.write(
            """
            daemon off;
            user root;
            worker_processes 1;
            pid \(lab.file("nginx-\(name).pid"));
            error_log \(lab.file("nginx-\(name).log"));
            events { worker_connections 512; }
            http {
              access_log off;
              keepalive_requests 1000000;
              client_body_temp_path \(lab.file("www"));
              proxy_temp_path \(lab.file("www"));
              fastcgi_temp_path \(lab.file("www"));
              uwsgi_temp_path \(lab.file("www"));
              scgi_temp_path \(lab.file("www"));
              server { listen 80; listen [::]:80; root \(pages); }
            }

            """, to: "nginx-\(name).conf")
    }
}
