import CLinux
import CNetfilter
import Evidence
import Glibc

extension Queue {
    /// A socket with one queue bound to it, not to be read yet by anybody else. Throws what the kernel said, in words.
    static func open(_ settings: QueueSettings) throws(IntakeError) -> (socket: OpaquePointer, setup: Setup) {
        guard let socket = unsafe mnl_socket_open(NETLINK_NETFILTER) else {
            throw IntakeError("cannot open a netlink socket: \(IntakeError.text(errno))")
        }
        do throws(IntakeError) {
            return unsafe (socket, try unsafe prepare(socket, settings))
        } catch {
            _ = unsafe mnl_socket_close(socket)
            throw error
        }
    }

    private static func prepare(_ socket: OpaquePointer, _ settings: QueueSettings) throws(IntakeError) -> Setup {
        guard unsafe mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 else {
            throw IntakeError("cannot bind a netlink socket: \(IntakeError.text(errno))")
        }
        let descriptor = unsafe mnl_socket_get_fd(socket)
        let (granted, limited) = enlarge(descriptor, to: settings.receiveBuffer)
        // Losses are read from the kernel's own counters: an ENOBUFS would only interrupt.
        var on: Int32 = 1
        _ = unsafe setsockopt(
            descriptor, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, socklen_t(MemoryLayout<Int32>.size))
        let early = try unsafe bind(socket, settings)
        _ = flinch_receive_timeout(descriptor, patience)
        return Setup(
            grantedBuffer: granted, bufferLimited: limited,
            portIdentifier: unsafe mnl_socket_get_portid(socket), answeredEarly: early)
    }

    private static func enlarge(_ descriptor: Int32, to bytes: Int) -> (granted: Int, limited: Bool) {
        var size = Int32(clamping: bytes)
        let length = socklen_t(MemoryLayout<Int32>.size)
        let forced = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length) == 0
        if !forced { _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length) }
        var granted: Int32 = 0
        var grantedLength = length
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &granted, &grantedLength)
        return (Int(granted), !forced && Int(granted) < bytes)
    }

    /// Binds the queue, each step acknowledged by the kernel. Returns how many packets were answered for on the way, as
    /// for an overloaded queue.
    private static func bind(_ socket: OpaquePointer, _ settings: QueueSettings) throws(IntakeError) -> UInt64 {
        var early: UInt64 = 0
        early += try unsafe request(socket, settings, "bind") { header in
            unsafe nfq_nlmsg_cfg_put_cmd(header, UInt16(AF_UNSPEC), UInt8(NFQNL_CFG_CMD_BIND.rawValue))
        }
        early += try unsafe request(socket, settings, "ask for whole packets from") { header in
            unsafe nfq_nlmsg_cfg_put_params(header, UInt8(NFQNL_COPY_PACKET.rawValue), 0xFFFF)
        }
        early += try unsafe request(socket, settings, "set the length of") { header in
            unsafe nfq_nlmsg_cfg_put_qmaxlen(header, settings.length)
        }
        let wanted = UInt32(NFQA_CFG_F_GSO) | (settings.failOpen ? UInt32(NFQA_CFG_F_FAIL_OPEN) : 0)
        early += try unsafe request(socket, settings, "set the flags of") { header in
            unsafe mnl_attr_put_u32(header, UInt16(NFQA_CFG_FLAGS.rawValue), wanted.bigEndian)
            unsafe mnl_attr_put_u32(
                header, UInt16(NFQA_CFG_MASK.rawValue),
                UInt32(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN).bigEndian)
        }
        return early
    }

    /// Sends one configuration message and waits for the kernel's acknowledgement. Returns how many packets
    /// came meanwhile: from the bind on the queue may be used, before it is set up to be inspected.
    @discardableResult
    private static func request(
        _ socket: OpaquePointer, _ settings: QueueSettings, _ purpose: String,
        _ fill: (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) throws(IntakeError) -> UInt64 {
        var early: UInt64 = 0
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: slotBytes, alignment: 16)
        defer { unsafe bytes.deallocate() }
        let descriptor = unsafe mnl_socket_get_fd(socket)
        guard
            let header = unsafe nfq_nlmsg_put(
                bytes.assumingMemoryBound(to: CChar.self), Int32(NFQNL_MSG_CONFIG.rawValue),
                UInt32(settings.number))
        else { throw refusal(ENOMEM, purpose, settings.number) }
        unsafe header.pointee.nlmsg_flags |= UInt16(NLM_F_ACK)
        unsafe fill(header)
        guard unsafe mnl_socket_sendto(socket, header, Int(header.pointee.nlmsg_len)) >= 0 else {
            throw refusal(errno, purpose, settings.number)
        }
        while true {
            let length = unsafe recv(descriptor, bytes, slotBytes, 0)
            if length < 0 {
                if errno == EINTR { continue }
                throw refusal(errno, purpose, settings.number)
            }
            guard length >= MemoryLayout<nlmsghdr>.size + MemoryLayout<Int32>.size else { continue }
            if unsafe bytes.load(as: nlmsghdr.self).nlmsg_type == UInt16(NLMSG_ERROR) {
                let error = unsafe -bytes.loadUnaligned(
                    fromByteOffset: MemoryLayout<nlmsghdr>.size, as: Int32.self)
                if error == 0 { return early }
                throw refusal(error, purpose, settings.number)
            }
            let message = unsafe RawSpan(_unsafeStart: bytes, byteCount: length)
            var (layouts, arrival) = (AttributeLayouts(), Arrival(time: 0))
            if let packet = QueuedPacket(message, truncated: false, &layouts, into: &arrival) {
                var verdict = VerdictBatch()
                verdict.append(packet.identifier, accept: settings.failOpen)
                _ = verdict.send(descriptor, queue: packet.queue)
                early += 1
            }
        }
    }

    private static func refusal(_ error: Int32, _ purpose: String, _ number: UInt16) -> IntakeError {
        if let holder = boundElsewhere(number), error == EPERM || error == EBUSY {
            return IntakeError(
                "queue \(number) is already bound by another program (netlink port \(holder)): "
                    + "stop it, or set queues.first to queues that are free")
        }
        if error == EPERM {
            return IntakeError("cannot \(purpose) queue \(number): run as root or with CAP_NET_ADMIN")
        }
        return IntakeError(
            "cannot \(purpose) queue \(number): \(IntakeError.text(error)); "
                + "is the kernel module nfnetlink_queue there?")
    }

    /// The netlink port that has the queue, if any has.
    private static func boundElsewhere(_ number: UInt16) -> UInt32? {
        guard let file = unsafe fopen("/proc/thread-self/net/netfilter/nfnetlink_queue", "re") else { return nil }
        defer { unsafe _ = fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, Int32(line.count), file) != nil {
            let fields = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                .split(whereSeparator: { $0 == 32 || $0 == 10 })
                .compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
            if fields.count >= 2, fields[0] == UInt32(number) { return fields[1] }
        }
        return nil
    }
}
