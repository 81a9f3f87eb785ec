import CLinux

/// An interface of this host.
public struct Link: Sendable, Equatable {
    public var index: UInt32
    public var name: String
    /// Index of the bridge or bond that it is a port of; 0 for none.
    public var master: UInt32
    /// What made it: `bridge`, `veth`, `tun`, `bond`, `openvswitch`, …; empty for a physical card.
    public var kind: String
    public var isUp: Bool
    /// Its other end is in another network namespace: it is a container's.
    public var isForeign: Bool
    /// The first byte in bits 47…40; 0 for none.
    public var mac: UInt64

    public init(
        index: UInt32, name: String, master: UInt32 = 0, kind: String = "", isUp: Bool = true, isForeign: Bool = false,
        mac: UInt64 = 0
    ) {
        self.index = index
        self.name = name
        self.master = master
        self.kind = kind
        self.isUp = isUp
        self.isForeign = isForeign
        self.mac = mac
    }
}

/// The interfaces of this thread's network namespace at one moment.
public struct LinkTable: Sendable, Equatable {
    public private(set) var links: [Link]
    private var byName: [String: Int] = [:]
    private var byIndex: [UInt32: Int] = [:]

    public init(_ links: [Link]) {
        self.links = links
        for (place, link) in links.enumerated() {
            byName[link.name] = place
            byIndex[link.index] = place
        }
    }

    public subscript(name: String) -> Link? { byName[name].map { links[$0] } }
    public subscript(index: UInt32) -> Link? { byIndex[index].map { links[$0] } }

    /// The bridge that an interface is a port of.
    public func bridge(of link: Link) -> Link? { self[link.master].flatMap { $0.kind == "bridge" ? $0 : nil } }

    public var bridges: [Link] { links.filter { $0.kind == "bridge" } }

    public func ports(of bridge: Link) -> [Link] { links.filter { $0.master == bridge.index } }

    /// Asks the kernel (RTM_GETLINK, linux/rtnetlink.h). An answer that a change interrupted is asked for again.
    public static func read() throws(InventoryProblem) -> LinkTable {
        let socket = try LinkSocket(groups: 0)
        for _ in 0..<10 {
            try socket.send(request)
            var links: [Link] = []
            var (isDone, isInterrupted) = (false, false)
            while !isDone {
                guard let (messages, lost) = try socket.receive(wait: true) else { continue }
                isInterrupted = isInterrupted || lost
                for message in messages {
                    if Int32(message.flags) & NLM_F_DUMP_INTR != 0 { isInterrupted = true }
                    switch Int32(message.type) {
                    case NLMSG_DONE: isDone = true
                    case NLMSG_ERROR:
                        throw InventoryProblem(file: "rtnetlink", line: 0, "the kernel tells no interfaces")
                    default: if let link = link(message) { links.append(link) }
                    }
                }
            }
            if !isInterrupted { return LinkTable(links) }
        }
        throw InventoryProblem(file: "rtnetlink", line: 0, "the interfaces change all the time")
    }

    /// nlmsghdr and ifinfomsg, asking for all.
    private static var request: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        bytes[0] = 32
        bytes[4] = UInt8(RTM_GETLINK)
        let flags = NLM_F_REQUEST | NLM_F_DUMP
        (bytes[6], bytes[7]) = (UInt8(flags & 0xFF), UInt8(flags >> 8))
        return bytes
    }

    static func link(_ message: LinkSocket.Message) -> Link? {
        // ifinfomsg: family, type, index, flags, change.
        guard Int(message.type) == RTM_NEWLINK, message.body.count >= 16 else { return nil }
        let attributes = LinkSocket.attributes(message.body.dropFirst(16))
        let info = attributes[Int(IFLA_LINKINFO)].map(LinkSocket.attributes)
        let address = attributes[Int(IFLA_ADDRESS)] ?? []
        return Link(
            index: UInt32(truncatingIfNeeded: LinkSocket.number(message.body.dropFirst(4), 4)),
            name: LinkSocket.text(attributes[Int(IFLA_IFNAME)]),
            master: UInt32(truncatingIfNeeded: LinkSocket.number(attributes[Int(IFLA_MASTER)], 4)),
            kind: LinkSocket.text(info?[Int(IFLA_INFO_KIND)]),
            isUp: LinkSocket.number(message.body.dropFirst(8), 4) & 1 != 0,
            isForeign: attributes[Int(IFLA_LINK_NETNSID)] != nil,
            mac: address.count == 6 ? address.reduce(0) { $0 << 8 | UInt64($1) } : 0)
    }
}
