import COpenSSL

/// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), by OpenSSL.
enum Digest {
    static func sha256(_ data: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe EVP_Digest(data, data.count, &digest, nil, EVP_sha256(), nil)
        return digest
    }

    static func hmacSHA256(_ data: [UInt8], key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var size: UInt32 = 32
        unsafe _ = HMAC(EVP_sha256(), key, Int32(key.count), data, data.count, &digest, &size)
        return digest
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
