import Wire

/// A key and its value: what nearly every line of an encoder is.
extension JSONLine {
    mutating func field(_ name: StaticString, _ text: String) {
        key(name)
        value(text)
    }

    mutating func field(_ name: StaticString, _ text: StaticString) {
        key(name)
        value(text)
    }

    mutating func field(_ name: StaticString, _ number: some BinaryInteger) {
        key(name)
        value(number)
    }

    mutating func field(_ name: StaticString, _ flag: Bool) {
        key(name)
        value(flag)
    }

    mutating func field(_ name: StaticString, _ address: Address) {
        key(name)
        value(address)
    }

    mutating func field(_ name: StaticString, time: UInt64) {
        key(name)
        value(time: time)
    }

    mutating func field(_ name: StaticString, seconds: UInt64) {
        key(name)
        value(seconds: seconds)
    }

    mutating func field(_ name: StaticString, mac: UInt64) {
        key(name)
        value(mac: mac)
    }

    mutating func field(_ name: StaticString, protocol number: UInt8) {
        key(name)
        value(protocol: number)
    }

    mutating func field(_ name: StaticString, base64 bytes: RawSpan) {
        key(name)
        value(base64: bytes)
    }

    mutating func field(_ name: StaticString, printable bytes: RawSpan) {
        key(name)
        value(printable: bytes)
    }
}
