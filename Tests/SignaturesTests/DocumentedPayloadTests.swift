import Evidence
import Testing

@testable import Signatures

/// The sentences and examples of Suricata's rules/payload-keywords.rst, on payloads at both sides of what they say.
@Suite struct DocumentedPayloadTests {
    typealias Case = KeywordTests.Case

    private static func tcp(_ text: String) -> RawPacket { .tcp(text.raw) }
    private static func letters(_ count: Int) -> RawPacket { .tcp(Array(repeating: 0x61, count: count)) }

    static let contents: [Case] = [
        Case("content:\"a|0D|bc\";", tcp("xa\rbc"), not: tcp("a\nbc")),
        Case("content:\"|61 0D 62 63|\";", tcp("a\rbc"), not: tcp("abc")),
        Case("content:\"a|0D|b|63|\";", tcp("a\rbc"), not: tcp("a\rbC")),
        Case("content:\"http|3A|//\";", tcp("http://"), not: tcp("http|3A|//")),
        Case("content:\"abc\"; nocase; content:\"DEF\";", tcp("ABCDEF"), not: tcp("ABCdef")),
        Case("content:\"def\"; offset:3; depth:3;", tcp("abcdef"), not: tcp("abcxdef")),
        Case("content:\"GET|20|\"; startswith;", tcp("GET /"), not: tcp(" GET /")),
        Case("content:\"GET|20|\"; depth:4; offset:0;", tcp("GET /"), not: tcp(" GET /")),
        Case("content:\".php\"; endswith;", tcp("a.php.php"), not: tcp("a.php.x")),
        Case("content:\".php\"; isdataat:!1,relative;", tcp("a.php.php"), not: tcp("a.php.x")),
        // Distances and what they are counted from.
        Case("content:\"abc\"; content:\"k\"; distance:5;", tcp("abcdefghk"), not: tcp("abcdefgk")),
        Case("content:\"cde\"; content:\"abc\"; distance:-5;", tcp("abcde"), not: tcp("abxcde")),
        Case("content:\"def\"; content:\"abc\"; distance:-6; within:3;", tcp("abcdef"), not: tcp("abcxdef")),
        Case("content:\"abc\"; content:\"bcd\"; distance:-2; within:3;", tcp("abcd"), not: tcp("abc bcd")),
        Case("content:\"abc\"; content:\"def\"; within:3;", tcp("abcdef"), not: tcp("abcxdef")),
        Case("content:\"abc\"; content:\"def\"; distance:1; within:3;", tcp("abcxdef"), not: tcp("abcxxdef")),
        Case("content:\"abc\"; content:\"def\"; distance:0; within:4;", tcp("abc abcxdef"), not: tcp("abcdxdef")),
        Case("content:\"abc\"; content:!\"def\"; within:3;", tcp("abcxdef"), not: tcp("abcdef")),
        Case("content:\"abc\"; content:!\"def\"; distance:1; within:3;", tcp("abcdef"), not: tcp("abcxdef")),
        Case("content:!\"def\"; depth:3;", tcp("abcdef"), not: tcp("defabc")),
        Case("content:!\"def\"; offset:3;", tcp("defabc"), not: tcp("abcdef")),
        Case(
            "content:\"Firefox/3.\"; content:!\"Firefox/3.6.13\"; distance:-10;", tcp("Firefox/3.5.1"),
            not: tcp("Firefox/3.6.13")),
        // Of several places the one that fits.
        Case(
            "content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", tcp("ab abx abc"),
            not: tcp("ab abx acb")),
        Case(
            "content:\"a\"; content:\"b\"; distance:2; within:1; isdataat:!1,relative;", tcp("a..b a..b"),
            not: tcp("a..b a.b")),
    ]

    static let sizes: [Case] = [
        Case("isdataat:31;", letters(32), not: letters(31)),
        Case("isdataat:31,relative;", letters(32), not: letters(30)),
        Case("isdataat:32,relative;", letters(32), not: letters(31)),
        Case("isdataat:33,relative;", letters(33), not: letters(32)),
        Case("isdataat:7;", tcp("abcdefgh"), not: tcp("abcdefg")),
        Case("isdataat:8,relative;", tcp("abcdefgh"), not: tcp("abcdefg")),
        Case("content:\"c\"; isdataat:5,relative;", tcp("abcdefgh"), not: tcp("abcdefg")),
        Case("content:\"c\"; isdataat:!6,relative;", tcp("abcdefgh"), not: tcp("abcdefghi")),
        Case("content:\"c\"; isdataat:!5, relative;", tcp("abcdefg"), not: tcp("abcdefgh")),
        Case("isdataat:!8,rawbytes;", tcp("abcdefgh"), not: tcp("abcdefghi")),
        Case("content:\"google.com\"; bufferlen:10;", tcp("google.com"), not: tcp("google.comm")),
        Case("content:\"google.com\"; bufferlen:<=20;", tcp("google.com"), not: tcp("google.com and much more")),
        Case("content:\"google.com\"; bufferlen:8<>20;", tcp("google.com"), not: tcp("google.com, and more")),
        Case("content:\"google.com\"; bufferlen:>8;", tcp("google.com"), not: tcp("google.co")),
        Case("dsize:8<>20;", letters(9), not: letters(8)), Case("dsize:!9;", letters(8), not: letters(9)),
        Case("dsize:>=10;", letters(10), not: letters(9)), Case("dsize:0;", letters(0), not: letters(1)),
    ]

    private static let four: [UInt8] = [0, 1, 0, 2]

    static let fields: [Case] = [
        Case(
            "content:\"|00 01 00 02|\"; byte_test:2,=,0x01,0;", .tcp([0, 1, 0, 1, 0, 2]), not: .tcp([0, 0, 0, 1, 0, 2])),
        Case(
            "content:\"|00 01 00 02|\"; byte_test:2,=,0x03,2,relative;", .tcp(four + [9, 9, 0, 3]),
            not: .tcp(four + [0, 3, 9, 9])),
        Case("byte_test:2,!=,0x06,0;", .tcp([0, 1]), not: .tcp([0, 6])),
        Case(
            "content:\"|00 01 00 02|\"; byte_test:2,>,1000,1,relative;", .tcp(four + [0, 0x03, 0xE9]),
            not: .tcp(four + [0, 0x03, 0xE8])),
        Case(
            "content:\"|00 01 00 02|\"; byte_test:2,&,0x01,12,relative;", .tcp(four + Array(repeating: 1, count: 14)),
            not: .tcp(four + Array(repeating: 2, count: 14))),
        Case(
            "content:\"foobar\"; byte_test:4,=,1337,1,relative,string,dec;", tcp("foobar 1337"), not: tcp("foobar 1338")
        ),
        Case("byte_test:1,<,5,0;", .tcp([4]), not: .tcp([5])), Case("byte_test:1,<=,5,0;", .tcp([5]), not: .tcp([6])),
        Case("byte_test:1,>=,5,0;", .tcp([5]), not: .tcp([4])), Case("byte_test:1,!<,5,0;", .tcp([5]), not: .tcp([4])),
        Case("byte_test:1,!>,5,0;", .tcp([5]), not: .tcp([6])), Case("byte_test:1,!<=,5,0;", .tcp([6]), not: .tcp([5])),
        Case("byte_test:1,!>=,5,0;", .tcp([4]), not: .tcp([5])), Case("byte_test:1,!=,5,0;", .tcp([4]), not: .tcp([5])),
        Case("content:\"b\"; byte_test:1,=,0x61,-2,relative;", tcp("ab"), not: tcp("bb")),
        Case("byte_test:4,=,0x04030201,0,little;", .tcp([1, 2, 3, 4]), not: .tcp([4, 3, 2, 1])),
        Case("byte_test:4,>,0xfffffffe,0,big;", .tcp([255, 255, 255, 255]), not: .tcp([255, 255, 255, 254])),
        Case("byte_test:2,=,0x12,0,bitmask 0xFF0;", .tcp([0x01, 0x2F]), not: .tcp([0x02, 0x1F])),
        Case("byte_test:4,=,0x1F,0,string,hex;", tcp("0x1F"), not: tcp("0x2F")),
        Case("byte_extract:1,0,n; byte_test:n,=,258,1;", .tcp([2, 1, 2]), not: .tcp([1, 1, 2])),
        Case("byte_extract:1,0,at; byte_test:1,=,9,at;", .tcp([2, 0, 9]), not: .tcp([1, 0, 9])),
        // byte_math
        Case(
            "content:\"|00 04 93 F3|\"; content:\"|00 00 00 07|\"; distance:4; within:4; "
                + "byte_math:bytes 4, offset 0, oper +, rvalue 248, result var, relative; byte_test:4,=,var,0,relative;",
            .tcp([0, 4, 0x93, 0xF3, 9, 9, 9, 9, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 250]),
            not: .tcp([0, 4, 0x93, 0xF3, 9, 9, 9, 9, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 249])),
        Case(
            "byte_extract:1,0,x; byte_math:bytes 1, offset 1, oper +, rvalue x, result var; byte_test:2,=,var,2;",
            .tcp([3, 4, 0, 7]), not: .tcp([3, 4, 0, 4])),
        Case(
            "byte_math:bytes 1,offset 0,oper -,rvalue 3,result n; byte_test:1,=,n,1;", .tcp([5, 2]), not: .tcp([5, 5])),
        Case(
            "byte_math:bytes 1,offset 0,oper *,rvalue 3,result n; byte_test:1,=,n,1;", .tcp([5, 15]), not: .tcp([5, 5])),
        Case(
            "byte_math:bytes 1,offset 0,oper >>,rvalue 1,result n; byte_test:1,=,n,1;", .tcp([6, 3]), not: .tcp([6, 6])),
        Case(
            "byte_extract:1,0,d; byte_math:bytes 1,offset 1,oper /,rvalue d,result n; byte_test:1,=,n,2;",
            .tcp([2, 8, 4]), not: .tcp([0, 8, 0])),
        Case(
            "byte_math:bytes 2,offset 0,oper +,rvalue 0,result n,endian little; byte_test:1,=,n,2;", .tcp([7, 0, 7]),
            not: .tcp([0, 7, 7])),
        Case(
            "byte_math:bytes 2,offset 0,oper +,rvalue 1,result n,string dec; byte_test:1,=,n,2;",
            .tcp([0x31, 0x30, 11]),
            not: .tcp([0x31, 0x30, 17])),
        Case(
            "byte_math:bytes 1,offset 0,oper +,rvalue 0,result n,bitmask 0xf0; byte_test:1,=,n,1;", .tcp([0x25, 2]),
            not: .tcp([0x25, 0x20])),
        Case(
            "byte_math:bytes 1,offset 0,oper +,rvalue 1,result n; content:\"x\"; offset:n;", .tcp([1, 0, 0x78]),
            not: .tcp([1, 0x78])),
        Case(
            "byte_math:bytes 1,offset 0,oper +,rvalue 1,result n; isdataat:!n;", .tcp([1, 0]), not: .tcp([1, 0, 0])),
        // byte_jump
        Case(
            "content:\"Alice\"; byte_jump:2,0; content:\"Bob\";", .tcp([0, 3] + "AliceBob".raw),
            not: .tcp([9, 3] + "AliceBob".raw)),
        Case(
            "byte_jump:2,0; byte_jump:2,0,relative; content:\"foobar\"; distance:0; within:6;",
            .tcp([0, 1, 9, 0, 1, 9] + "foobar".raw), not: .tcp([0, 1, 9, 0, 2, 9] + "foobar".raw)),
        Case(
            "byte_jump:0,0, from_end, post_offset -8; content:\"|6c 33 33 74|\"; distance:0; within:4;",
            .tcp("..l33t1234".raw), not: .tcp("..l33t123".raw)),
        Case(
            "byte_jump:1,0,bitmask 0xf0; content:\"x\"; within:1;", .tcp([0x1F, 0, 0x78]), not: .tcp([0x2F, 0, 0x78])),
        Case("byte_jump:2,0,string,dec; content:\"x\"; within:1;", tcp("01.x"), not: tcp("02.x")),
        Case("byte_jump:2,0,little; content:\"x\"; within:1;", .tcp([1, 0, 9, 0x78]), not: .tcp([0, 1, 9, 0x78])),
        Case(
            "content:\"a\"; byte_jump:1,0,relative,multiplier 2,post_offset 1; content:\"x\"; within:1;",
            .tcp([0x61, 1, 9, 9, 9, 0x78]), not: .tcp([0x61, 1, 9, 9, 0x78])),
        // byte_extract
        Case(
            "content:\"Alice\"; byte_extract:2,0,size; content:\"Bob\"; distance:size; within:3;",
            // Counted from behind the number.
            .tcp([0, 2] + "..Bob Alice".raw), not: .tcp([0, 2] + "...Bob Alice".raw)),
        Case(
            "content:\"|00 FF|\"; byte_extract:1,0,len,relative; content:\"|5c 00|\"; distance:2; within:len;",
            .tcp([0, 255, 3, 9, 9, 9, 0x5C, 0]), not: .tcp([0, 255, 2, 9, 9, 9, 0x5C, 0])),
        Case(
            "content:\"|00 FF|\"; byte_extract:2,0,ver,relative; content:\"FooBar\"; distance:0; byte_test:2,=,ver,0;",
            .tcp([0, 7, 0, 255, 0, 7] + "FooBar".raw), not: .tcp([0, 8, 0, 255, 0, 7] + "FooBar".raw)),
        Case("byte_extract:1,0,n,multiplier 3,align 4; byte_test:1,=,n,1;", .tcp([3, 12]), not: .tcp([3, 9])),
        Case(
            "byte_extract:2,0,n,string,hex; byte_test:1,=,n,2;", .tcp([0x31, 0x66, 31]), not: .tcp([0x31, 0x66, 16])),
        // Numbers as C writes them: a value, an offset, a mask (detect-bytetest.c); byte_math's mask is hexadecimal.
        Case("byte_test:1,=,010,0;", .tcp([8]), not: .tcp([10])),
        Case("byte_test:1,=,1,010;", .tcp([0, 0, 0, 0, 0, 0, 0, 0, 1]), not: .tcp([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        Case("byte_test:1,=,1,0,bitmask 16;", .tcp([0x10]), not: .tcp([0x02])),
        Case(
            "byte_math:bytes 1,offset 0,oper +,rvalue 0,result n,bitmask 10; byte_test:1,=,n,1;", .tcp([0x10, 1]),
            not: .tcp([0x0A, 1])),
        Case("byte_test:16,=,0x1f,0,string,hex;", tcp("000000000000001f"), not: tcp("000000000000001e")),
        // A variable that is negative as an offset; how many bytes byte_math reads, by a variable.
        Case(
            "byte_extract:4,0,n; content:\"a\"; byte_test:1,=,7,n,relative;",
            .tcp([255, 255, 255, 254, 7, 0x61]), not: .tcp([255, 255, 255, 254, 0x61, 7])),
        Case(
            "byte_extract:1,0,k; byte_math:bytes k,offset 1,oper +,rvalue 0,result n; byte_test:1,=,1,1;",
            .tcp([4, 1, 0, 0, 0, 0]), not: .tcp([5, 1, 0, 0, 0, 0])),
        // Before the start is the start, however far; nothing leads out of no payload.
        Case(
            "content:\"x\"; byte_jump:8,0; content:\"y\"; distance:8; within:2;",
            .tcp([0x80, 0, 0, 0, 0, 0, 0, 0] + "xy".raw), not: .tcp([0, 1, 0, 0, 0, 0, 0, 0] + "xy".raw)),
        Case("byte_jump:0,0,from_end;", tcp("x"), not: tcp("")),
        // Of the payload for a header; the other way round it would be that of a packet before.
        Case("byte_extract:1,0,n; tcp.hdr; byte_test:1,=,0x50,n;", .tcp([12]), not: .tcp([13])),
        // A number that does not fit into 32 bits is far away.
        Case("byte_extract:8,0,n; isdataat:!n;", .tcp([0, 0, 0, 1, 0, 0, 0, 1]), not: .tcp([0, 0, 0, 0, 0, 0, 0, 1])),
        // What reaches beyond the payload does not hold, negated or not.
        Case("byte_test:1,!=,5,2;", .tcp([0, 0, 4]), not: .tcp([0, 0])),
        Case("content:\"a\"; byte_test:1,!=,5,-2,relative;", tcp("xa"), not: tcp("a")),
    ]

    static let entropies: [Case] = [
        Case("entropy:value 1;", tcp("aabb"), not: tcp("aaab")),
        Case("entropy:value = 2.0;", tcp("abcd"), not: tcp("abca")),
        Case("entropy: value != 0;", tcp("ab"), not: tcp("aa")),
        Case("entropy:value >1.0;", tcp("aabbc"), not: tcp("aabb")),
        Case("entropy:value >= 1;", tcp("aabb"), not: tcp("aaab")),
        Case("entropy:value <1;", tcp("aaab"), not: tcp("aabb")),
        Case("entropy:value <=1;", tcp("aabb"), not: tcp("aabbc")),
        Case("entropy:value 0 - 1;", tcp("aaab"), not: tcp("aabb")),
        Case("entropy:value 0<>1;", tcp("aaab"), not: tcp("aaaa")),
        Case("entropy:value !0-1;", tcp("aabb"), not: tcp("aaab")),
        Case("entropy:bytes 2, offset 1, value 1;", tcp("aabb"), not: tcp("abbb")),
        // What is not there has none.
        Case("entropy:offset 2, value 0;", tcp("aab"), not: tcp("a")),
        Case("entropy:value 0, bytes 3;", tcp("aaab"), not: tcp("aa")),
        Case("entropy:value 0;", tcp("a"), not: tcp("")),
        Case("entropy:value 8;", .tcp((0...255).map { UInt8($0) }), not: .tcp((0...255).map { UInt8($0 | 1) })),
        Case("content:\"x\"; entropy:value 0; content:\"x\"; distance:0;", tcp("xx"), not: tcp("xxy")),
        Case(
            "base64_decode; base64_data; entropy:value 1;", tcp("YWFiYg=="), not: tcp("YWFhYg==")),
        Case("tcp.hdr; entropy:value >1;", tcp("a"), not: .udp("a".raw)),
    ]

    static let expressions: [Case] = [
        Case("pcre:/a+b$/;", tcp("aab"), not: tcp("aba")),
        Case("pcre:!/a+b/i;", tcp("ba"), not: tcp("AB")),
        Case("pcre:\"/[0-9]{6}/\";", tcp("a123456"), not: tcp("a12345")),
        Case("content:\"NICK \"; pcre:\"/NICK .*USA.*[0-9]{3,}/i\";", tcp("NICK usa123"), not: tcp("NICK usa12")),
        Case("pcre:\"/a.*b/G\"; content:\"c\"; distance:0;", tcp("ab c b"), not: tcp("c ab")),
        Case("pcre:\"/b/AB\";", tcp("ba"), not: tcp("ab")),
        Case("content:\"x\"; pcre:\"/^a.c/Rs\";", tcp("b xa\ncx"), not: tcp("xba\nc")),
        Case("content:\"x\"; pcre:!\"/^a/R\";", tcp("xb"), not: tcp("xa")),
        Case("pcre:\"/(a|b)c\\1/\";", tcp("bcb"), not: tcp("acb")),
        Case("pcre:\"m#a/b#i\";", tcp("A/B"), not: tcp("A.B")),
        Case("pcre:\"/a\\;b/\";", tcp("a;b"), not: tcp("a.b")),
        Case("pcre:\"/a\\x3bb/\";", tcp("a;b"), not: tcp("a.b")),
        Case("content:\"a\"; content:\"b\"; pcre:\"/^c/R\";", tcp("b a bc"), not: tcp("ba bxc")),
    ]

    @Test(arguments: contents + sizes + fields + entropies + expressions) func example(_ entry: Case) throws {
        let rules = try compile("alert tcp any any -> any any (\(entry.options) sid:1;)")
        try #require(rules.problems == [])
        var matcher = try Matcher(rules)
        #expect(matcher.findings(entry.yes.bytes, as: entry.yes.link).count == 1)
        #expect(matcher.findings(entry.no.bytes, as: entry.no.link).count == 0)
    }

    /// What the documentation says is an error.
    @Test(arguments: [
        "content:\"abc\"; startswith; depth:3;", "content:\"abc\"; startswith; distance:0;",
        "content:\"abc\"; content:\"d\"; within:0;", "content:\"abc\"; distance:1048577;", "content:\"abc\"; depth:2;",
        "content:\"\";", "content:\"a|6|\";", "byte_math:bytes 1,offset 0,oper %,rvalue 1,result n;",
        "byte_test:1,=,n,0;", "byte_extract:1,0,n,align 3;", "content:\"google.com\"; bsize:9;",
        "content:\"google.com\"; bsize:<10;", "content:\"ab\"; offset:4; bsize:5;",
    ]) func isAnError(_ options: String) throws {
        #expect(try compile("alert tcp any any -> any any (\(options) sid:1;)").problems.count == 1)
    }
}
