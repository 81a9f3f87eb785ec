import Glibc

/// The text of an errno value: "Operation not permitted".
func errorText(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
}

extension OffloadError {
    /// `what` is the thing that was tried: "reading the rules of table flinch".
    static func system(_ code: Int32, _ what: String, hint: String = "") -> OffloadError {
        switch code {
        case EPERM, EACCES: notPermitted(what)
        default: OffloadError(.refused, "\(what): the kernel said: \(errorText(code))\(hint)")
        }
    }

    static func notPermitted(_ what: String) -> OffloadError {
        OffloadError(
            .notPermitted, "\(what): not permitted: run it as root or with the capability CAP_NET_ADMIN")
    }
}
