/// EVE lines to a socket: a stream of lines, or a datagram a line, as Suricata's `unix_stream` and
/// `unix_dgram` outputs.
final class EVESocketChannel: Channel {
    let batchLimit = 64
    private let endpoint: Endpoint
    private var socket: OutgoingSocket?

    /// Milliseconds for a connection, and for the receiver to take one batch.
    private static let timeout: UInt64 = 2000

    init(_ endpoint: Endpoint) { self.endpoint = endpoint }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        let deadline = patience.deadline(within: EVESocketChannel.timeout)
        var taken = 0
        do throws(OutgoingSocket.Failure) {
            if socket?.isClosed ?? true { socket = try OutgoingSocket(endpoint, by: deadline) }
            for line in lines {
                // A stream that breaks inside a line is not used again: the line goes out whole on the next.
                try socket?.send(line, by: deadline)
                taken += 1
            }
            return Delivery(taken: taken)
        } catch {
            socket = nil
            return .failed(error.description, after: taken)
        }
    }

    func reopen() { socket = nil }
}
