import CCurl

/// Each event as a JSON document in a POST.
///
/// `X-Flinch-Signature-256: sha256=…` is the HMAC-SHA256 of the body in hexadecimal, as GitHub's webhooks have
/// it; `X-Flinch-Delivery` is the same for the same event, so that a receiver can tell one that it was sent
/// twice.
final class WebhookChannel: Channel {
    let batchLimit = 32
    private let transfer: Transfer
    private let url: String
    private let secret: Secret?

    init(_ settings: WebhookSettings) throws {
        transfer = try Transfer(schemes: "https,http")
        url = settings.url
        secret = try settings.secret.map { source throws(Secret.Failure) in try Secret(source) }
        transfer.set(CURLOPT_URL, settings.url)
        transfer.set(CURLOPT_USERAGENT, "flinch")
        transfer.limit(connection: 5000, whole: 10_000)
        if let authorities = settings.authorities { transfer.set(CURLOPT_CAINFO, authorities) }
    }

    func deliver(_ lines: ArraySlice<[UInt8]>, _ patience: Patience) -> Delivery {
        var taken = 0
        var refused = 0
        var problem: String?
        for line in lines {
            let body = Array(line.dropLast())
            do throws(Transfer.Failure) {
                let status = try transfer.post(body, headers: headers(body), patience)
                switch status {
                case 200..<300: break
                // It will not be taken the next time either: not this document.
                case 400, 413, 415, 422:
                    refused += 1
                    problem = "the server refuses an event: status \(status)"
                default:
                    return Delivery(
                        taken: taken, refused: refused, isFailure: true,
                        problem: "the server answers with status \(status)")
                }
            } catch {
                return Delivery(taken: taken, refused: refused, isFailure: true, problem: error.description)
            }
            taken += 1
            if patience.isOver { break }
        }
        return Delivery(taken: taken, refused: refused, problem: problem)
    }

    private func headers(_ body: [UInt8]) -> [String] {
        var headers = [
            "Content-Type: application/json", "Expect:",
            "X-Flinch-Delivery: \(Digest.hex(Digest.sha256(body).prefix(16)))",
        ]
        if let secret {
            headers.append(
                "X-Flinch-Signature-256: sha256=\(Digest.hex(Digest.hmacSHA256(body, key: secret.bytes)))")
        }
        return headers
    }
}
