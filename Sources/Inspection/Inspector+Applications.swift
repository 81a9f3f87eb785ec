import Behaviour
import Conformance
import Evidence
import Flows
import Signatures
import Wire

/// What is wrong with the form of what an application says: told once the rules were asked, because they recognise which
/// one speaks.
extension Inspector {
    /// Nothing for most packets: they are neither DNS nor at the beginning of a stream.
    @inline(__always)
    mutating func checkApplication(
        _ layer: Int, _ bytes: RawSpan, _ step: @_addressable FlowStep, _ time: UInt64, _ asked: inout Asked
    ) {
        if step.window.freshLength > 0 {
            if step.window.offset == 0 { checkStart(step, time, &asked) }
        } else if layer == packets.whole, packets[layer].packet.kind == .udp, let flow = unsafe step.flow {
            let application = unsafe flow.pointee.application
            // At its own port it is expected: what is not recognised there is told what it lacks.
            let isDNS =
                application == Application.dns.rawValue
                || (packets[layer].packet.destinationPort == 53 || packets[layer].packet.sourcePort == 53)
                    && !Application.isRecognised(application)
            if isDNS { checkDNS(layer, bytes, &asked) }
        }
    }

    @inline(never)
    private mutating func checkDNS(_ layer: Int, _ bytes: RawSpan, _ asked: inout Asked) {
        take(Conformance.examine(dnsIn: packets[layer].packet, bytes), &asked)
    }

    /// The first that one side says, once, when it is known what is spoken, or that it is nothing known.
    @inline(never)
    private mutating func checkStart(_ step: @_addressable FlowStep, _ time: UInt64, _ asked: inout Asked) {
        guard let flow = unsafe step.flow, unsafe !flow.pointee.flags.contains(.midstream) else { return }
        let examined = step.toServer ? FlowFlags.examinedToServer : .examinedToClient
        guard unsafe !flow.pointee.flags.contains(examined) else { return }
        let (start, length) = unsafe flows.pointee.contiguous(step)
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(length)).bytes
        if step.window.historyLength == 0 {
            let login = Login(bytes)
            if login != .none { unsafe tell(login, flow, time) }
        }
        let application = unsafe flow.pointee.application
        let isAwaited = Application.isAwaited(application, toServer: step.toServer)
        // What is plain already need not wait: it may be all that is sent.
        let form =
            isAwaited
            ? ApplicationForm(firstBytes: bytes, toServer: step.toServer)
            : unsafe ApplicationForm(application, bytes, serverPort: flow.pointee.serverPort, toServer: step.toServer)
        guard form == .none ? !isAwaited : bytes.byteCount >= form.leastBytes else { return }
        unsafe flow.pointee.flags.insert(examined)
        guard take(Conformance.examine(streamStart: bytes, form, toServer: step.toServer), &asked) else { return }
        asked.isStartRefused = true
        unsafe asked.flow = unsafe flow
    }

    /// Whether the packet is to be dropped for what it failed.
    @discardableResult
    private mutating func take(_ failed: CheckSet, _ asked: inout Asked) -> Bool {
        guard !failed.isEmpty else { return false }
        let reason = checks.report(failed, guest: guest, into: &findings)
        guard reason != .none, asked.form == .none else { return false }
        asked.form = reason
        return true
    }
}

extension ApplicationForm {
    /// What a flow was recognised as decides. HTTP and TLS are looked at where they are plain, because either side may
    /// answer the one with the other; a port's service only where nothing was recognised.
    init(_ application: UInt8, _ bytes: RawSpan, serverPort: UInt16, toServer: Bool) {
        switch Application(rawValue: application) {
        case .dns: self = .dns
        case .smb: self = ApplicationForm(sessionAt: serverPort, bytes)
        case .http, .tls: self = ApplicationForm(firstBytes: bytes, toServer: toServer)
        default:
            self = .none
            guard !Application.isRecognised(application) else { return }
            self = ApplicationForm(firstBytes: bytes, toServer: toServer)
            if self == .none { self = ApplicationForm(expectedAt: serverPort, bytes) }
        }
    }
}
