import Foundation
import Testing

@testable import Sinks

struct SecretTests {
    private func write(_ text: String, to path: String, mode: Int) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test func onlyFromFilesThatOthersCannotRead() throws {
        try withFolder { folder in
            let path = folder + "/secret"
            try write("hush hush\n", to: path, mode: 0o600)
            let secret = try Secret(.file(path))
            #expect(secret.text == "hush hush")
            #expect("\(secret) \(String(reflecting: secret))" == "(secret) (secret)")
            for mode in [0o604, 0o640, 0o620, 0o602, 0o666] {
                try write("hush hush\n", to: path, mode: mode)
                let error = #expect(throws: Secret.Failure.self) { try Secret(.file(path)) }
                #expect(error?.description.contains("others") == true)
                #expect(error?.description.contains("hush") == false)
            }
            for text in ["", "\n", "a\0b", String(repeating: "x", count: 5000)] {
                try write(text, to: path, mode: 0o600)
                #expect(throws: Secret.Failure.self) { try Secret(.file(path)) }
            }
            #expect(throws: Secret.Failure.self) { try Secret(.file(folder)) }
            #expect(throws: Secret.Failure.self) { try Secret(.file(folder + "/none")) }
        }
    }

    /// systemd's folder is the service's alone, whatever the mode of the files in it.
    @Test func credentials() throws {
        try withFolder { folder in
            try write("from systemd", to: folder + "/mail", mode: 0o440)
            #expect(throws: Secret.Failure.self) { try Secret(.credential("mail")) }
            unsafe setenv("CREDENTIALS_DIRECTORY", folder, 1)
            defer { unsafe unsetenv("CREDENTIALS_DIRECTORY") }
            #expect(try Secret(.credential("mail")).text == "from systemd")
            #expect(throws: Secret.Failure.self) { try Secret(.credential("none")) }
        }
    }
}
