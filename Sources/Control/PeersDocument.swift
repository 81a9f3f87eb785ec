/// Who talks to whom, as `flinch peers --json` prints it.
public struct PeersDocument: Codable, Sendable {
    /// Relationships in a document, at most.
    public static let limit = 1 << 16

    /// The latest first.
    public var relationships: [Relationship]
    /// How many the sensor remembers, and how many it had to forget for others.
    public var known: Int
    public var forgotten: UInt64

    public struct Relationship: Codable, Sendable {
        public var client: String
        /// Name of the guest that it is a host of; nil for none.
        public var clientGuest: String?
        public var server: String
        public var serverGuest: String?
        /// "443/tcp", "icmp".
        public var service: String
        /// Seconds since the Unix epoch, of the first and the last conversation.
        public var first: Double
        public var last: Double
        public var connections: UInt64
        /// Of TCP connections that are over, with their IP headers.
        public var bytesToServer: UInt64
        public var bytesToClient: UInt64

        public init(
            client: String, clientGuest: String?, server: String, serverGuest: String?, service: String,
            first: Double, last: Double, connections: UInt64, bytesToServer: UInt64, bytesToClient: UInt64
        ) {
            self.client = client
            self.clientGuest = clientGuest
            self.server = server
            self.serverGuest = serverGuest
            self.service = service
            self.first = first
            self.last = last
            self.connections = connections
            self.bytesToServer = bytesToServer
            self.bytesToClient = bytesToClient
        }
    }

    public init(relationships: [Relationship], known: Int, forgotten: UInt64) {
        self.relationships = relationships
        self.known = known
        self.forgotten = forgotten
    }
}
