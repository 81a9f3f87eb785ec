import Testing
import Wire

@Suite struct AddressTests {
    /// RFC 4291 §2.2, RFC 5952 §4 and §5: any way to write it, and the one that we print.
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"),
        ("192.0.2.1", "192.0.2.1"),
        ("255.255.255.255", "255.255.255.255"),
        ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"),
        ("2001:DB8::AbCd", "2001:db8::abcd"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("fe80:0:0:0:0:0:0:0", "fe80::"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ]) func reads(_ text: String, _ printed: String) throws {
        let address = try #require(Address(text))
        #expect(address.description == printed)
        #expect(Address(printed) == address)
    }

    @Test(arguments: [
        "", " ", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.04", "1..2.3", "1.2.3.",
        "+1.2.3.4",
        "1.2.3.4 ", "0x1.2.3.4", ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1::",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "+1::", "-1::", "fe80::1%eth0", "::1/64",
        "1.2.3.4::", "::1.2.3.4:5", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "[::1]", "example.org",
    ]) func refuses(_ text: String) { #expect(Address(text) == nil) }

    @Test func isOrderedAsNumbers() {
        let texts = [
            "::", "::1", "10.0.0.1", "10.0.0.2", "192.0.2.1", "2001:db8::", "2001:db8::1", "ff02::1",
        ]
        let addresses = texts.compactMap { Address($0) }
        #expect(addresses.shuffled().sorted() == addresses)
    }

    @Test func knowsItsFamily() {
        #expect(Address(v4: 0xC000_0201).isV4 && Address(v4: 0xC000_0201).bitWidth == 32)
        #expect(!Address.none.isV4 && Address.none.bitWidth == 128)
        #expect(Address("192.0.2.1") == Address(v4: 0xC000_0201))
    }
}

@Suite struct PrefixTests {
    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.0/24", "192.0.2.0", "192.0.2.255"),
        ("192.0.2.77/24", "192.0.2.0/24", "192.0.2.0", "192.0.2.255"),
        ("192.0.2.77/32", "192.0.2.77", "192.0.2.77", "192.0.2.77"),
        ("192.0.2.77", "192.0.2.77", "192.0.2.77", "192.0.2.77"),
        ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
        ("10.255.0.0/9", "10.128.0.0/9", "10.128.0.0", "10.255.255.255"),
        ("2001:db8::1/32", "2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::ff/64", "2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"),
        ("2001:db8::ff/65", "2001:db8::/65", "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff"),
        ("::/0", "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("::1/128", "::1", "::1", "::1"),
    ]) func reads(_ text: String, _ printed: String, _ first: String, _ last: String) throws {
        let prefix = try #require(Prefix(text))
        #expect(prefix.description == printed)
        #expect(prefix.base == Address(first))
        #expect(prefix.last == Address(last))
        #expect(Prefix(printed) == prefix)
        #expect(prefix.contains(prefix.base) && prefix.contains(prefix.last))
    }

    @Test(arguments: [
        "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/24/8",
        "192.0.2/24", "192.0.2.0/ 24", "2001:db8::/129", "::/999999999999999999999", "192.0.2.0/0x8", "any",
    ]) func refuses(_ text: String) { #expect(Prefix(text) == nil) }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.1.255", false),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.0/24", "::c000:201", false),
        ("0.0.0.0/0", "2001:db8::", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("::/0", "192.0.2.1", true),
        ("2001:db8::/64", "2001:db8:0:1::", false),
        ("2001:db8::/63", "2001:db8:0:1::", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:0", false),
    ]) func contains(_ prefix: String, _ address: String, _ answer: Bool) throws {
        #expect(try #require(Prefix(prefix)).contains(#require(Address(address))) == answer)
    }
}
