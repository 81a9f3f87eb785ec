import Configuration
import Events
import Evidence
import Sinks
import Store
import Testing

struct SinkReaderTests {
    private func parsed(_ text: String) throws -> [SinkSettings] {
        try Settings.parse(text: BadFileTests.web + text, file: "/etc/flinch/f").sinks
    }

    @Test func everyKind() throws {
        let sinks = try parsed(
            """
            sinks:
              - {type: eve, name: second, path: more.json, rotate-at: 100 MiB, keep: 3, events: [alert, flood]}
              - {type: socket, to: "unix-dgram:/run/eve.sock", queue: 100}
              - {type: socket, to: "tcp:192.0.2.9:5000", concern: medium}
              - type: redis
                server: "[2001:db8::7]:6379"
                mode: stream
                key: events
                database: 3
                user: flinch
                password: {file: secrets/redis}
                spool: 64 MiB
              - {type: redis, server: "unix:/run/redis.sock", password: {credential: redis}}
              - {type: store}
              - {type: store, path: /srv/x.sqlite, days: 7, size: 100 MiB}
            """)
        #expect(sinks.map(\.name) == ["second", "socket", "socket-2", "redis", "redis-2", "store", "store-2"])
        #expect(
            sinks[0].channel
                == .eve(EVEFileSettings(path: "/etc/flinch/more.json", rotation: .init(size: 100 << 20, keep: 3))))
        #expect(sinks[0].filter == Sink.Filter(kinds: [.alert, .flood], concern: .low))
        #expect(sinks[1].channel == .socket(Endpoint(.unixDatagram, host: "/run/eve.sock")))
        #expect(sinks[1].queue == 100 && sinks[1].spool == 0)
        #expect(sinks[2].filter.concern == .medium)
        var redis = RedisSettings(server: Endpoint(.tcp, host: "2001:db8::7", port: 6379))
        redis.mode = .stream
        redis.key = "events"
        redis.database = 3
        redis.user = "flinch"
        redis.password = .file("/etc/flinch/secrets/redis")
        #expect(sinks[3].channel == .redis(redis))
        #expect(sinks[3].spool == 64 << 20)
        redis = RedisSettings(server: Endpoint(.unix, host: "/run/redis.sock"))
        redis.password = .credential("redis")
        #expect(sinks[4].channel == .redis(redis))
        guard case .store(let store) = sinks[5].channel, case .store(let other) = sinks[6].channel else {
            Issue.record("no store")
            return
        }
        #expect(store.path == Settings.standardState + "/flinch.sqlite" && store.retention.days == 30)
        #expect(sinks[5].filter.kinds == [.alert, .anomaly, .drop, .flood, .stats])
        #expect(other.path == "/srv/x.sqlite" && other.retention.days == 7 && other.retention.bytes == 100 << 20)
    }

    @Test func thoseForPeople() throws {
        let sinks = try parsed(
            """
            sinks:
              - {type: webhook, url: "https://alerts.example.net/a?b=c", secret: {file: hook}, ca: ca.pem, concern: high}
              - type: mail
                server: mail.example.net
                user: flinch
                password: {credential: mail}
                from: flinch@example.net
                to: [ops@example.net, noc@example.net]
                digest: 300
                limit: 2
                spool: 0
              - {type: syslog, to: "udp:192.0.2.9:514", facility: daemon, format: eve}
              - {type: journal, concern: high}
              - {type: snmp, to: 192.0.2.162, version: 2c, inform: true, community: {file: c}}
              - {type: snmp, to: "nms:1162", user: u, hash: sha, auth-password: {file: a}, priv-password: {file: p}}
              - {type: mail, server: "[2001:db8::25]:26", security: none, from: a@b, to: [c@d]}
            """)
        var webhook = WebhookSettings(url: "https://alerts.example.net/a?b=c")
        webhook.secret = .file("/etc/flinch/hook")
        webhook.authorities = "/etc/flinch/ca.pem"
        #expect(sinks[0].channel == .webhook(webhook))
        #expect(sinks[0].filter == Sink.Filter(kinds: [.alert, .anomaly, .flood], concern: .high))
        #expect(sinks[0].spool == 16 << 20, "what people are told is kept over an outage")
        var syslog = SyslogSettings(to: Endpoint(.udp, host: "192.0.2.9", port: 514))
        syslog.facility = .daemon
        syslog.format = .eve
        #expect(sinks[2].channel == .syslog(syslog) && sinks[3].channel == .journal)
        var snmp = SNMPSettings(to: Endpoint(.udp, host: "192.0.2.162", port: 162), version: .v2c)
        snmp.isInform = true
        snmp.community = .file("/etc/flinch/c")
        guard case .snmp(let second) = sinks[4].channel, case .snmp(let third) = sinks[5].channel else {
            Issue.record("no SNMP")
            return
        }
        snmp.engine = second.engine
        #expect(second == snmp && !second.engine.isEmpty)
        #expect(third.version == .v3 && third.user == "u" && third.hash == .sha && third.to.port == 1162)
        #expect(third.authentication == .file("/etc/flinch/a") && third.privacy == .file("/etc/flinch/p"))
        guard case .mail(let mail) = sinks[1].channel, case .mail(let plain) = sinks[6].channel else {
            Issue.record("no mail")
            return
        }
        #expect(mail.host == "mail.example.net" && mail.port == 587 && mail.security == .startTLS)
        #expect(mail.user == "flinch" && mail.password == .credential("mail"))
        #expect(mail.to == ["ops@example.net", "noc@example.net"])
        #expect(mail.digest == 300_000_000_000 && mail.limit == 2 && !mail.sensor.isEmpty)
        #expect(sinks[1].spool == 0)
        #expect(plain.host == "2001:db8::25" && plain.port == 26 && plain.security == .none)
    }

    @Test func byTLS() throws {
        let sinks = try parsed(
            """
            sinks:
              - type: redis
                server: redis.example.net:6379
                tls: true
                ca: ca.pem
                certificate: own.pem
                certificate-key: {file: own.key}
              - {type: redis, server: "127.0.0.1:6379", tls: false}
              - {type: syslog, to: "tls:logs.example.net:6514", ca: ca.pem}
            """)
        var redis = RedisSettings(server: Endpoint(.tls, host: "redis.example.net", port: 6379))
        redis.tls.authorities = "/etc/flinch/ca.pem"
        redis.tls.certificate = "/etc/flinch/own.pem"
        redis.tls.key = .file("/etc/flinch/own.key")
        #expect(sinks[0].channel == .redis(redis))
        #expect(sinks[1].channel == .redis(RedisSettings(server: Endpoint(.tcp, host: "127.0.0.1", port: 6379))))
        var syslog = SyslogSettings(to: Endpoint(.tls, host: "logs.example.net", port: 6514))
        syslog.tls.authorities = "/etc/flinch/ca.pem"
        #expect(sinks[2].channel == .syslog(syslog))
    }

    @Test func theEVEFileTurnsOver() throws {
        let settings = try Settings.parse(
            text: BadFileTests.web + "events: {eve: /var/log/eve.json, rotate-at: 1 GiB}\n", file: "f")
        #expect(
            settings.events.eve == EVEFileSettings(path: "/var/log/eve.json", rotation: .init(size: 1 << 30, keep: 5)))
        #expect(settings.allSinks.map(\.name) == ["eve"])
    }

    @Test(arguments: [
        BadCase(
            "sinks: {type: eve}\n",
            "2:8: sinks: a mapping is not a list; write it like - {type: redis, server: \"127.0.0.1:6379\"}"),
        BadCase(
            "sinks:\n- {type: redis, server: \"h:1\", ca: x}\n- {type: redis, server: \"unix:/r\", tls: true}\n"
                + "- {type: syslog, to: \"tls:h:1\", certificate: x}\n- {type: socket, to: \"tls:h:1\"}\n"
                + "- {type: redis, server: \"h:1\", tls: true, certificate: x, certificate-key: y}\n",
            "3:36: sinks[0].ca: it is of TLS; write tls: true as well",
            "4:41: sinks[1].tls: a Unix socket has none; leave it out",
            "5:46: sinks[2].certificate: certificate and certificate-key go together; write both or none",
            "6:22: sinks[3].to: \"tls:h:1\" is not a place to send to; write one like unix:/run/eve.sock,"
                + " unix-dgram:/run/eve.sock, tcp:192.0.2.9:514, udp:192.0.2.9:514",
            "7:76: sinks[4].certificate-key: a secret does not belong here; write {file: PATH} with a file of mode 600,"
                + " or {credential: NAME}"),
        BadCase(
            "sinks:\n- {path: x}\n- {type: rediss}\n",
            "3:3: sinks[0]: it has no type; write type: and one of eve, socket, redis, webhook, mail, syslog, journal, snmp, store",
            "4:10: sinks[1].type: \"rediss\" is not one of eve, socket, redis, webhook, mail, syslog, journal, snmp, store; did you mean redis?"
        ),
        BadCase(
            "sinks:\n- {type: eve}\n- {type: eve, path: a, keep: 5, size: 1}\n",
            "3:3: sinks[0].path: there is none; write path: and a file, or \"-\" for standard output",
            "4:30: sinks[1].keep: it needs rotate-at, the size at which a file is set aside",
            "4:33: sinks[1]: \"size\" is not known here; write one of type, name, events, concern, queue, spool, path,"
                + " rotate-at, keep"),
        BadCase(
            "sinks:\n- {type: eve, path: a, name: eve}\n- {type: eve, path: a, name: a/b}\n- {type: eve, path: a, name: x}\n"
                + "- {type: eve, path: a, name: x}\n",
            "3:30: sinks[0].name: \"eve\" is the sink of events.eve; give this one another name",
            "4:30: sinks[1].name: \"a/b\" is not a sink's name (1 to 32 letters, digits, - and _)",
            "6:30: sinks[3].name: \"x\" is the name of the sink on line 5 too; give it another"),
        BadCase(
            "sinks:\n- {type: socket, to: \"unix:eve.sock\", events: [alerts], concern: 3}\n",
            "3:22: sinks[0].to: \"unix:eve.sock\" is not a place to send to; write one like unix:/run/eve.sock,"
                + " unix-dgram:/run/eve.sock, tcp:192.0.2.9:514, udp:192.0.2.9:514"),
        BadCase(
            "sinks:\n- {type: socket, to: \"unix:/eve.sock\", events: [alerts], concern: 3}\n",
            "3:49: sinks[0].events: \"alerts\" is not one of alert, anomaly, behaviour, drop, flow, flood, packet, stats; did you mean"
                + " alert?",
            "3:67: sinks[0].concern: \"3\" is not one of low, medium, high"),
        BadCase(
            "sinks:\n- {type: redis, server: localhost, password: hush}\n",
            "3:25: sinks[0].server: \"localhost\" is not a server; write it like \"127.0.0.1:6379\","
                + " \"[2001:db8::7]:6379\" or unix:/run/redis.sock"),
        BadCase(
            "sinks:\n- {type: redis, server: \"localhost:1\", password: hush}\n",
            "3:50: sinks[0].password: a secret does not belong here; write {file: PATH} with a file of mode 600, or"
                + " {credential: NAME}"),
        BadCase(
            "sinks:\n- {type: redis, server: \"localhost:1\", user: u, password: {credential: ../x}, spool: 5}\n",
            "3:46: sinks[0].user: it needs a password as well",
            "3:72: sinks[0].password.credential: \"../x\" is not a credential's name (no slash)",
            "3:86: sinks[0].spool: 5 is out of range; write a size from 1 MiB to 16 GiB"),
        BadCase(
            "sinks:\n- {type: webhook, url: \"ftp://a\"}\n- {type: webhook, url: \"https://u:p@a/\"}\n- {type: webhook}\n",
            "3:24: sinks[0].url: \"ftp://a\" is not a URL; write one like https://alerts.example.net/flinch, without a"
                + " password in it",
            "4:24: sinks[1].url: \"https://u:p@a/\" is not a URL; write one like https://alerts.example.net/flinch,"
                + " without a password in it",
            "5:3: sinks[2].url: there is none; write url: and where to post, like https://alerts.example.net/flinch"),
        BadCase(
            "sinks:\n- {type: mail, server: a, from: a@b, to: [\"a <b@c>\"]}\n"
                + "- {type: mail, server: a, security: none, user: u, password: {file: p}, from: a@b, to: [a@b]}\n"
                + "- {type: mail, server: a, user: u, from: a@b@c, to: [a@b]}\n",
            "3:43: sinks[0].to: \"a <b@c>\" is not an address, like ops@example.net",
            "4:49: sinks[1].user: without TLS the password would be read by anybody; write security: starttls or tls",
            "5:42: sinks[2].from: \"a@b@c\" is not an address, like ops@example.net"),
        BadCase(
            "sinks:\n- {type: snmp, to: nms, version: 2c, user: x}\n- {type: snmp, to: nms, user: x, community: {file: x}}\n",
            "3:44: sinks[0].user: version 2c has none; leave it out",
            "4:3: sinks[1].auth-password: there is none; version 3 needs user, auth-password and priv-password",
            "4:3: sinks[1].priv-password: there is none; version 3 needs user, auth-password and priv-password",
            "4:45: sinks[1].community: version 3 has none; leave it out"),
    ])
    func problemsAreSaid(_ test: BadCase) {
        #expect(problems(BadFileTests.web + test.text) == test.problems)
    }
}
