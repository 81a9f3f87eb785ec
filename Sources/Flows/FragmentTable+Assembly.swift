import Glibc
import Wire

extension FragmentTable {
    /// Puts a datagram together if nothing is missing: the first fragment's headers, told of the new length and
    /// without what made them a fragment's, and the data.
    mutating func assemble(
        _ index: UInt32, into buffer: UnsafeMutablePointer<UInt8>, _ step: inout FragmentStep
    ) {
        let record = unsafe records + Int(index)
        let length = unsafe Int(record.pointee.length)
        guard length >= 0, unsafe pools.contiguous(record) >= length else { return }
        let header = unsafe Int(record.pointee.headerLength)
        let network = unsafe Int(record.pointee.networkOffset)
        let ip = unsafe buffer + network
        unsafe memcpy(buffer, pools.page(record.pointee.headerPage), header)
        unsafe pools.read(record, length, into: buffer + header)
        if unsafe record.pointee.key.ipVersion == 4 {
            guard header - network + length <= 65_535 else { return impossible(index, &step) }
            unsafe IPv4Fields.complete(ip, length: header - network + length)
        } else {
            let payload = header - network - IPv6Header.size + length
            guard payload <= 65_535 else { return impossible(index, &step) }
            unsafe ip[4] = UInt8(payload >> 8)
            unsafe ip[5] = UInt8(payload & 0xFF)
            unsafe buffer[Int(record.pointee.nextHeaderOffset)] = unsafe record.pointee.nextHeader
        }
        step.assembledLength = header + length
        complete(index)
    }

    /// No host can hold as much as the headers and the data are together.
    private mutating func impossible(_ index: UInt32, _ step: inout FragmentStep) {
        counters.impossible &+= 1
        step.isKept = false
        if mode.isInline { step.refusal = .forbidden }
        close(index)
    }
}

private enum IPv4Fields {
    /// Writes the total length, takes off flags and offset, and corrects the checksum by as much (RFC 1624 §3): one
    /// that was wrong stays wrong.
    static func complete(_ header: UnsafeMutablePointer<UInt8>, length: Int) {
        var sum = unsafe UInt32(~word(header, 10))
        sum += unsafe UInt32(~word(header, 2)) + UInt32(~word(header, 6)) + UInt32(length)
        sum = (sum & 0xFFFF) + sum >> 16
        sum = (sum & 0xFFFF) + sum >> 16
        unsafe set(header, 2, UInt16(length))
        unsafe set(header, 6, 0)
        unsafe set(header, 10, ~UInt16(truncatingIfNeeded: sum))
    }

    private static func word(_ header: UnsafeMutablePointer<UInt8>, _ offset: Int) -> UInt16 {
        unsafe UInt16(header[offset]) << 8 | UInt16(header[offset + 1])
    }

    private static func set(_ header: UnsafeMutablePointer<UInt8>, _ offset: Int, _ number: UInt16) {
        unsafe header[offset] = UInt8(number >> 8)
        unsafe header[offset + 1] = UInt8(truncatingIfNeeded: number)
    }
}
