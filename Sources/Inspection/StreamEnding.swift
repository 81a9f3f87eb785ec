import Flows
import Wire

/// The packet that stands for the end of a stream, in which what it still held is inspected: an IP and a TCP
/// header without payload, as Suricata makes it (FlowPseudoPacketSetup).
enum StreamEnding {
    /// Bytes at most.
    static let capacity = 60

    /// Returns how many bytes it is.
    static func write(_ flow: UnsafeMutablePointer<Flow>, toServer: Bool, to bytes: UnsafeMutablePointer<UInt8>) -> Int
    {
        let (source, destination) =
            unsafe toServer
            ? (flow.pointee.client, flow.pointee.server) : (flow.pointee.server, flow.pointee.client)
        let (from, to) =
            unsafe toServer
            ? (flow.pointee.clientPort, flow.pointee.serverPort) : (flow.pointee.serverPort, flow.pointee.clientPort)
        let sequence = unsafe toServer ? flow.pointee.session.client.next : flow.pointee.session.server.next
        let isV4 = source.isV4
        let size = isV4 ? 40 : 60
        unsafe bytes.update(repeating: 0, count: size)
        func put(_ number: some FixedWidthInteger, at offset: Int) {
            unsafe withUnsafeBytes(of: number.bigEndian) {
                unsafe UnsafeMutableRawPointer(bytes + offset).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
            }
        }
        if isV4 {
            put(0x4500_0028 as UInt32, at: 0)
            put(0x4006 as UInt16, at: 8)
            put(UInt32(truncatingIfNeeded: source.low), at: 12)
            put(UInt32(truncatingIfNeeded: destination.low), at: 16)
            var sum = InternetChecksum()
            unsafe sum.add(UnsafeRawBufferPointer(start: bytes, count: 20).bytes)
            put(sum.value, at: 10)
        } else {
            put(0x6000_0000_0014_0640 as UInt64, at: 0)
            put(source.high, at: 8)
            put(source.low, at: 16)
            put(destination.high, at: 24)
            put(destination.low, at: 32)
        }
        let header = size - 20
        put(from, at: header)
        put(to, at: header + 2)
        put(sequence, at: header + 4)
        put(0x5000_000A as UInt32, at: header + 12)
        var sum = InternetChecksum(source: source, destination: destination, protocol: 6, length: 20)
        unsafe sum.add(UnsafeRawBufferPointer(start: bytes + header, count: 20).bytes)
        put(sum.value, at: header + 16)
        return size
    }
}
