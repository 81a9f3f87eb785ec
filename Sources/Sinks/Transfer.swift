import CCurl
import CLinux
import Glibc

/// One libcurl handle: connections are kept open between transfers. Certificates are always checked.
@safe
final class Transfer {
    /// Why a transfer failed, in libcurl's words.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let handle: UnsafeMutableRawPointer
    private var lists: [UnsafeMutablePointer<curl_slist>?] = unsafe []
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// `schemes` are those that the URL may have, as libcurl lists them: "https,http".
    init(schemes: String) throws(Failure) {
        guard Transfer.isReady, let handle = unsafe curl_easy_init() else {
            throw Failure(description: "libcurl cannot be used")
        }
        unsafe self.handle = unsafe handle
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe flinch_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
        set(CURLOPT_PROTOCOLS_STR, schemes)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_NOPROGRESS, 0)
        // Where events go is what the configuration says, whatever the environment does.
        set(CURLOPT_PROXY, "")
        unsafe flinch_curl_set_progress(handle) { context, _, _, _, _ in
            guard let context = unsafe context else { return 0 }
            return unsafe Unmanaged<Patience>.fromOpaque(context).takeUnretainedValue().isOver ? 1 : 0
        }
        // What servers answer is not for us.
        unsafe flinch_curl_set_write(handle) { _, size, count, _ in size * count }
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe lists.forEach { unsafe curl_slist_free_all($0) }
        unsafe errorText.deallocate()
    }

    func set(_ option: CURLoption, _ value: Int) { unsafe _ = flinch_curl_set_number(handle, option, value) }

    func set(_ option: CURLoption, _ text: String) { unsafe _ = flinch_curl_set_pointer(handle, option, text) }

    func set(_ option: CURLoption, _ list: [String]) {
        var made: UnsafeMutablePointer<curl_slist>?
        for text in list { unsafe made = curl_slist_append(made, text) }
        unsafe lists.append(made)
        unsafe _ = flinch_curl_set_pointer(handle, option, made)
    }

    /// Milliseconds for the connection, and for all of it.
    func limit(connection: Int, whole: Int) {
        set(CURLOPT_CONNECTTIMEOUT_MS, connection)
        set(CURLOPT_TIMEOUT_MS, whole)
    }

    /// Sends `body` as the request of a POST. Returns the server's status code.
    func post(_ body: [UInt8], headers: [String], _ patience: Patience) throws(Failure) -> Int {
        var made: UnsafeMutablePointer<curl_slist>?
        for text in headers { unsafe made = curl_slist_append(made, text) }
        defer { unsafe curl_slist_free_all(made) }
        unsafe flinch_curl_set_pointer(handle, CURLOPT_HTTPHEADER, made)
        unsafe flinch_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
        let code = unsafe body.withUnsafeBytes { bytes in
            unsafe flinch_curl_set_pointer(handle, CURLOPT_POSTFIELDS, bytes.baseAddress)
            return perform(patience)
        }
        unsafe flinch_curl_set_pointer(handle, CURLOPT_HTTPHEADER, nil)
        try check(code)
        var status = 0
        unsafe _ = flinch_curl_number(handle, CURLINFO_RESPONSE_CODE, &status)
        return status
    }

    /// Uploads `body`: with SMTP, as a message.
    func upload(_ body: [UInt8], _ patience: Patience) throws(Failure) {
        var body = body
        let code = unsafe body.withUnsafeMutableBytes { bytes in
            // libcurl reads from a stdio stream where it has no function to read with.
            guard let stream = unsafe fmemopen(bytes.baseAddress, bytes.count, "r") else { return CURLE_OUT_OF_MEMORY }
            defer { unsafe _ = fclose(stream) }
            unsafe flinch_curl_set_pointer(handle, CURLOPT_READDATA, UnsafeRawPointer(stream))
            set(CURLOPT_UPLOAD, 1)
            return perform(patience)
        }
        try check(code)
    }

    private func perform(_ patience: Patience) -> CURLcode {
        unsafe errorText[0] = 0
        return withExtendedLifetime(patience) {
            unsafe flinch_curl_set_pointer(
                handle, CURLOPT_XFERINFODATA, Unmanaged.passUnretained(patience).toOpaque())
            return unsafe curl_easy_perform(handle)
        }
    }

    private func check(_ code: CURLcode) throws(Failure) {
        guard code != CURLE_OK else { return }
        let text = unsafe String(cString: errorText)
        if code == CURLE_ABORTED_BY_CALLBACK { throw Failure(description: "the sensor stopped meanwhile") }
        throw Failure(description: text.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : text)
    }
}
