import CNftables

/// libnftables: nft's own parser and transactions, without the program. One context, one thread.
@safe struct Nftables: ~Copyable {
    private let context: OpaquePointer

    private init(_ context: OpaquePointer) { unsafe self.context = unsafe context }

    static func open() throws(OffloadError) -> Nftables {
        guard let context = unsafe nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw OffloadError(.refused, "libnftables: no memory for a context")
        }
        let opened = unsafe Nftables(context)
        guard unsafe nft_ctx_buffer_output(context) == 0, unsafe nft_ctx_buffer_error(context) == 0 else {
            throw OffloadError(.refused, "libnftables: no memory for its messages")
        }
        return opened
    }

    deinit { unsafe nft_ctx_free(context) }

    /// Asks the kernel whether it would take the commands; nothing is changed. nil when it would, else
    /// nft's message.
    func refusal(of commands: String) -> String? {
        unsafe nft_ctx_set_dry_run(context, true)
        defer { unsafe nft_ctx_set_dry_run(context, false) }
        return run(commands)
    }

    /// Carries out the commands as one transaction: all or nothing. nil on success, else nft's message.
    func run(_ commands: String) -> String? {
        let result = unsafe commands.withCString { unsafe nft_run_cmd_from_buffer(context, $0) }
        let said = unsafe nft_ctx_get_error_buffer(context).map { unsafe String(cString: $0) } ?? ""
        guard result != 0 else { return nil }
        return Nftables.summary(of: said)
    }

    /// "internal:0:0-0: Error: Could not process rule: …" and a copy of the source below it become the part
    /// after "Error: ", and the source line where nft shows it.
    static func summary(of said: String) -> String {
        let lines = said.split(separator: "\n")
        guard let first = lines.firstIndex(where: { $0.contains("Error: ") }) else {
            return lines.first.map(String.init) ?? "nothing"
        }
        let message = lines[first].split(separator: "Error: ", maxSplits: 1).last.map(String.init) ?? ""
        guard first + 1 < lines.count else { return message }
        let source = lines[first + 1].drop { $0 == " " || $0 == "\t" }
        return source.utf8.count > 100 || source.isEmpty ? message : "\(message) (in: \(source))"
    }
}
