/// A keyword of the rule language: what `flinch rules keywords` and docs/rules.md list.
public struct Keyword: Sendable {
    /// Whose language it is of. What Snort 2.9 and Suricata share is `both`.
    public enum Source: String, Sendable {
        case both = "Snort, Suricata", snort = "Snort", snort3 = "Snort 3", suricata = "Suricata"
    }

    public enum Family: String, Sendable, CaseIterable {
        case general = "What a rule says of itself"
        case payload = "Payload"
        case buffers = "Buffers"
        case network = "IP, Ethernet, VLAN"
        case transport = "TCP, UDP, ICMP, IGMP"
        case flow = "Flows and streams"
        case memory = "What is remembered"
        case frequency = "How often"
    }

    public let name: String
    public let family: Family
    /// As it stands in a rule, an alternative behind `|` where there is one.
    public let syntax: String
    public let meaning: String
    public let source: Source
    /// A rule's options with it that load.
    let example: String

    private init(
        _ name: String, _ family: Family, _ syntax: String, _ meaning: String, _ source: Source, _ example: String
    ) {
        self.name = name
        self.family = family
        self.syntax = syntax
        self.meaning = meaning
        self.source = source
        self.example = example
    }

    public static let all = general + payload + buffers + network + transport + flow + memory + frequency

    /// A number, as the keywords for single fields take it.
    private static let number = "[!|<|<=|>|>=]n | n<>m"

    private static let general: [Keyword] = [
        Keyword("msg", .general, #"msg:"text""#, "what the alert is called", .both, #"msg:"x";"#),
        Keyword("sid", .general, "sid:n", "the rule's number; required", .both, ""),
        Keyword("gid", .general, "gid:n", "group of the number, 1 if not said", .both, "gid:2;"),
        Keyword("rev", .general, "rev:n", "revision; the highest of a number counts", .both, "rev:2;"),
        Keyword(
            "classtype", .general, "classtype:name", "class, of classification.config: priority and category", .both,
            "classtype:misc-attack;"),
        Keyword("priority", .general, "priority:n", "1 is the worst; before the class's", .both, "priority:1;"),
        Keyword(
            "reference", .general, "reference:kind,value", "where to read on; for people", .both, "reference:cve,1;"),
        Keyword("metadata", .general, "metadata:key value, …", "goes into alert.metadata", .both, "metadata:a b, c d;"),
        Keyword(
            "target", .general, "target:src_ip|dest_ip|dst_ip", "who is attacked: alert.source, alert.target", .both,
            "target:dest_ip;"),
        Keyword(
            "requires", .general, "requires:keyword k, version >= v", "the rule loads only where this holds", .suricata,
            "requires:version >= 7.0.3;"),
        Keyword("noalert", .general, "noalert", "acts, and says nothing", .suricata, "noalert;"),
        Keyword("alert", .general, "alert", "a pass rule says so", .suricata, "alert;"),
        Keyword("prefilter", .general, "prefilter", "a hint; changes nothing", .suricata, "dsize:1; prefilter;"),
        Keyword("service", .general, "service:name", "for people", .snort3, "service:http;"),
        Keyword("enable", .general, "enable:yes|no|inherit", "no: the rule is refused", .snort3, "enable:yes;"),
        Keyword("rem", .general, #"rem:"text""#, "for people", .snort3, #"rem:"x";"#),
        Keyword("logto", .general, #"logto:"file""#, "means nothing here", .snort, #"logto:"x";"#),
    ]

    private static let payload: [Keyword] = [
        Keyword(
            "content", .payload, #"content:[!]"bytes|68 65 78|"[,modifier …]"#,
            "bytes that must, or must not, be there",
            .both, #"content:!"a|62|";"#),
        Keyword(
            "nocase", .payload, "nocase", "of the content: ASCII case does not matter", .both, #"content:"a"; nocase;"#),
        Keyword(
            "offset", .payload, "offset:n|name", "it begins so far from the start, or later", .both,
            #"content:"a"; offset:1;"#),
        Keyword(
            "depth", .payload, "depth:n|name", "it lies within so many bytes from the offset", .both,
            #"content:"a"; depth:1;"#),
        Keyword(
            "distance", .payload, "distance:n|name", "it begins so far behind the match before, or later", .both,
            #"content:"a"; content:"b"; distance:-1;"#),
        Keyword(
            "within", .payload, "within:n|name", "it lies within so many bytes from there", .both,
            #"content:"a"; content:"b"; within:1;"#),
        Keyword(
            "startswith", .payload, "startswith", "it stands at the start", .suricata, #"content:"a"; startswith;"#),
        Keyword("endswith", .payload, "endswith", "it stands at the end", .suricata, #"content:"a"; endswith;"#),
        Keyword(
            "rawbytes", .payload, "rawbytes", "changes nothing: nothing is decoded", .both, #"content:"a"; rawbytes;"#),
        Keyword(
            "fast_pattern", .payload, "fast_pattern[:only|offset,length]", "it is looked for first", .both,
            #"content:"a"; fast_pattern;"#),
        Keyword(
            "fast_pattern_offset", .payload, "fast_pattern_offset n", "which part is looked for first", .snort3,
            #"content:"a",fast_pattern_offset 0,fast_pattern_length 1;"#),
        Keyword(
            "fast_pattern_length", .payload, "fast_pattern_length n", "which part is looked for first", .snort3,
            #"content:"a",fast_pattern_offset 0,fast_pattern_length 1;"#),
        Keyword(
            "pcre", .payload, #"pcre:[!]"/expression/ismxAEGRO""#,
            "Perl's; R from the match before, O without the match limit", .both, #"pcre:"/a+/Ri";"#),
        Keyword(
            "regex", .payload, #"regex:"/expression/imsR"[,nocase,dotall,multiline,relative,fast_pattern]"#,
            "the same, without negation", .snort3, #"regex:"/a+/i",relative;"#),
        Keyword(
            "isdataat", .payload, "isdataat:[!]n|name[,relative]", "there is, or is not, a byte so far on", .both,
            "isdataat:!1;"),
        Keyword("dsize", .payload, "dsize:\(number)", "length of the packet's payload", .both, "dsize:1<>3;"),
        Keyword(
            "bsize", .payload, "bsize:\(number)", "length of the buffer", .suricata, "ipv4.hdr; bsize:>3;"),
        Keyword(
            "entropy", .payload, "entropy:[bytes n,][offset n,]value [<|<=|>|>=|!=|=]x | x-y | !x-y",
            "how evenly bytes are spread, 0 to 8 (Shannon's, in bits a byte)", .suricata, "entropy:value >= 7.2;"),
        Keyword(
            "bufferlen", .payload, "bufferlen:\(number)[,relative]", "length of the buffer, or of what is left of it",
            .snort3, "bufferlen:3<=>5;"),
        Keyword(
            "byte_test", .payload,
            "byte_test:n|name,[!]<|>|=|<=|>=|&|^,value|name,offset|name[,relative,little,string,hex,dec,oct,bitmask m]",
            "bytes read as a number, compared", .both, "byte_test:2,>,1,0,little;"),
        Keyword(
            "byte_jump", .payload,
            "byte_jump:n|name,offset|name[,relative,multiplier m,align,from_beginning,from_end,post_offset p,…]",
            "go as far as the bytes, read as a number, say", .both, "byte_jump:1,0,align,post_offset -1;"),
        Keyword(
            "byte_extract", .payload, "byte_extract:n,offset,name[,relative,multiplier m,align 2|4,…]",
            "keep the number under a name", .both, #"byte_extract:1,0,a; content:"x"; offset:a;"#),
        Keyword(
            "byte_math", .payload, "byte_math:bytes n,offset o,oper +|-|*|/|<<|>>,rvalue v|name,result name[,…]",
            "reckon with it, and keep what comes out", .both,
            #"byte_math:bytes 1,offset 0,oper +,rvalue 1,result a; content:"x"; offset:a;"#),
        Keyword(
            "asn1", .payload,
            "asn1:bitstring_overflow, double_overflow, oversize_length n, absolute_offset n|relative_offset n",
            "a BER element is malformed, or so long", .both, "asn1:oversize_length 9;"),
        Keyword(
            "ber_data", .payload, "ber_data:type", "a BER element is here: go to its contents", .snort3,
            "ber_data:0x30;"),
        Keyword(
            "ber_skip", .payload, "ber_skip:type[,optional]", "a BER element is here: go behind it", .snort3,
            "ber_skip:0x01,optional;"),
        Keyword(
            "base64_decode", .payload, "base64_decode[:bytes n,offset n,relative]", "decode, for base64_data", .both,
            #"base64_decode:relative; base64_data; content:"x";"#),
        Keyword(
            "rpc", .payload, "rpc:program[,version|*[,procedure|*]]", "a call of Sun's RPC", .both, "rpc:100000,*,*;"),
    ]

    private static let buffers: [Keyword] = [
        Keyword("pkt_data", .buffers, "pkt_data", "what follows looks into the payload again", .both, "pkt_data;"),
        Keyword("raw_data", .buffers, "raw_data", "the same", .snort3, "raw_data;"),
        Keyword(
            "base64_data", .buffers, "base64_data", "into what base64_decode made", .both,
            #"base64_decode; base64_data; content:"x";"#),
        Keyword("ether.hdr", .buffers, "ether.hdr", "into the Ethernet header", .suricata, #"ether.hdr; content:"x";"#),
        Keyword("ipv4.hdr", .buffers, "ipv4.hdr", "into the IPv4 header", .suricata, #"ipv4.hdr; content:"x";"#),
        Keyword(
            "ipv6.hdr", .buffers, "ipv6.hdr", "into the IPv6 header and its extensions", .suricata,
            #"ipv6.hdr; content:"x";"#),
        Keyword("tcp.hdr", .buffers, "tcp.hdr", "into the TCP header", .suricata, #"tcp.hdr; content:"x";"#),
        Keyword("udp.hdr", .buffers, "udp.hdr", "into the UDP header", .suricata, #"udp.hdr; content:"x";"#),
        Keyword("icmpv4.hdr", .buffers, "icmpv4.hdr", "into the ICMP header", .suricata, #"icmpv4.hdr; content:"x";"#),
        Keyword(
            "icmpv6.hdr", .buffers, "icmpv6.hdr", "into the ICMPv6 header", .suricata, #"icmpv6.hdr; content:"x";"#),
        Keyword("igmp.hdr", .buffers, "igmp.hdr", "into the IGMP header", .suricata, #"igmp.hdr; content:"x";"#),
    ]

    private static let network: [Keyword] = [
        Keyword("ttl", .network, "ttl:\(number)", "time to live, hop limit", .both, "ttl:<5;"),
        Keyword("tos", .network, "tos:[!]n", "IPv4's type of service", .both, "tos:!8;"),
        Keyword("id", .network, "id:n", "IPv4's identification", .both, "id:1;"),
        Keyword(
            "ipopts", .network, "ipopts:rr|eol|nop|ts|sec|esec|lsrr|ssrr|satid|…|any", "an IPv4 option", .both,
            "ipopts:lsrr;"),
        Keyword("fragbits", .network, "fragbits:[+|*|!]MDR", "IPv4's fragmentation bits", .both, "fragbits:+M;"),
        Keyword(
            "fragoffset", .network, "fragoffset:\(number)", "offset of a fragment, in 8 bytes", .both, "fragoffset:>0;"),
        Keyword("ip_proto", .network, "ip_proto:[!|<|>]n|name", "the upper protocol", .both, "ip_proto:!tcp;"),
        Keyword("sameip", .network, "sameip", "source and destination are the same", .both, "sameip;"),
        Keyword("l3_proto", .network, "l3_proto:ipv4|ipv6", "version of IP", .suricata, "l3_proto:ipv4;"),
        Keyword(
            "ipv4-csum", .network, "ipv4-csum:valid|invalid", "the header's checksum", .suricata, "ipv4-csum:invalid;"),
        Keyword(
            "vlan.id", .network, "vlan.id:[!|<|>]n[,layer|any|all]", "a VLAN's identifier", .suricata, "vlan.id:1,any;"),
        Keyword("vlan.layers", .network, "vlan.layers:\(number)", "how many tags", .suricata, "vlan.layers:1;"),
        Keyword(
            "decode-event", .network, "decode-event:name", "the decoder found this (decoder-events.rules)", .suricata,
            "decode-event:ipv4.pkt_too_small;"),
    ]

    private static let transport: [Keyword] = [
        Keyword(
            "flags", .transport, "flags:[+|*|!]FSRPAUCE0[,ignored]", "the TCP flags that are set", .both, "flags:S,12;"),
        Keyword("tcp.flags", .transport, "tcp.flags:…", "the same", .suricata, "tcp.flags:+SA;"),
        Keyword("seq", .transport, "seq:n", "TCP's sequence number", .both, "seq:1;"),
        Keyword("tcp.seq", .transport, "tcp.seq:n", "the same", .suricata, "tcp.seq:1;"),
        Keyword("ack", .transport, "ack:n", "TCP's acknowledgement number", .both, "ack:1;"),
        Keyword("tcp.ack", .transport, "tcp.ack:n", "the same", .suricata, "tcp.ack:1;"),
        Keyword("window", .transport, "window:[!]n", "TCP's window", .both, "window:!55;"),
        Keyword("tcp.window", .transport, "tcp.window:[!]n", "the same", .suricata, "tcp.window:55;"),
        Keyword("tcp.mss", .transport, "tcp.mss:\(number)", "TCP's maximum segment size", .suricata, "tcp.mss:<500;"),
        Keyword("tcp.wscale", .transport, "tcp.wscale:\(number)", "TCP's window scale", .suricata, "tcp.wscale:>10;"),
        Keyword(
            "tcpv4-csum", .transport, "tcpv4-csum:valid|invalid", "TCP's checksum over IPv4", .suricata,
            "tcpv4-csum:valid;"),
        Keyword("tcpv6-csum", .transport, "tcpv6-csum:valid|invalid", "over IPv6", .suricata, "tcpv6-csum:valid;"),
        Keyword("udpv4-csum", .transport, "udpv4-csum:valid|invalid", "UDP's", .suricata, "udpv4-csum:valid;"),
        Keyword(
            "udpv6-csum", .transport, "udpv6-csum:valid|invalid", "UDP's over IPv6", .suricata, "udpv6-csum:valid;"),
        Keyword("icmpv4-csum", .transport, "icmpv4-csum:valid|invalid", "ICMP's", .suricata, "icmpv4-csum:valid;"),
        Keyword("icmpv6-csum", .transport, "icmpv6-csum:valid|invalid", "ICMPv6's", .suricata, "icmpv6-csum:valid;"),
        Keyword("igmp-csum", .transport, "igmp-csum:valid|invalid", "IGMP's", .suricata, "igmp-csum:valid;"),
        Keyword("itype", .transport, "itype:\(number)", "type of ICMP", .both, "itype:>10;"),
        Keyword("icode", .transport, "icode:\(number)", "code of ICMP", .both, "icode:0;"),
        Keyword("icmp_id", .transport, "icmp_id:n", "identifier of an ICMP query", .both, "icmp_id:1;"),
        Keyword("icmp_seq", .transport, "icmp_seq:n", "its sequence number", .both, "icmp_seq:1;"),
        Keyword(
            "icmpv6.mtu", .transport, "icmpv6.mtu:\(number)", "MTU of a packet too big", .suricata, "icmpv6.mtu:<1280;"),
        Keyword("igmp.type", .transport, "igmp.type:\(number)", "type of IGMP", .suricata, "igmp.type:17;"),
    ]

    private static let flow: [Keyword] = [
        Keyword(
            "flow", .flow,
            "flow:to_server|to_client|established|not_established|stateless|only_stream|no_stream|only_frag|no_frag",
            "which packets of which flows", .both, "flow:established,to_server;"),
        Keyword("flow.age", .flow, "flow.age:\(number)", "seconds since its first packet", .suricata, "flow.age:>10;"),
        Keyword(
            "flow.pkts", .flow, "flow.pkts:toserver|toclient|either,\(number)", "packets so far", .suricata,
            "flow.pkts:either,>5;"),
        Keyword(
            "flow.pkts_toserver", .flow, "flow.pkts_toserver:\(number)", "packets so far", .suricata,
            "flow.pkts_toserver:5;"),
        Keyword(
            "flow.pkts_toclient", .flow, "flow.pkts_toclient:\(number)", "packets so far", .suricata,
            "flow.pkts_toclient:5;"),
        Keyword(
            "flow.bytes", .flow, "flow.bytes:toserver|toclient|either,\(number)", "bytes so far", .suricata,
            "flow.bytes:either,>5;"),
        Keyword(
            "flow.bytes_toserver", .flow, "flow.bytes_toserver:\(number)", "bytes so far", .suricata,
            "flow.bytes_toserver:>5kb;"),
        Keyword(
            "flow.bytes_toclient", .flow, "flow.bytes_toclient:\(number)", "bytes so far", .suricata,
            "flow.bytes_toclient:>5;"),
        Keyword(
            "stream_size", .flow, "stream_size:server|client|both|either,<|>|=|…,n", "bytes of a TCP stream so far",
            .both,
            "stream_size:both,>,5;"),
        Keyword(
            "stream-event", .flow, "stream-event:name", "the TCP engine found this (stream-events.rules)", .suricata,
            "stream-event:est_syn_resend;"),
    ]

    private static let memory: [Keyword] = [
        Keyword(
            "flowbits", .memory, "flowbits:set|unset|toggle|isset|isnotset,name[|&name …] | noalert",
            "bits of a flow", .both, "flowbits:isset,a|b;"),
        Keyword(
            "flowint", .memory, "flowint:name,+|-|=|<|>|<=|>=|==|!=|isset|notset[,n|name]", "numbers of a flow",
            .suricata, "flowint:a,+,1;"),
        Keyword(
            "xbits", .memory, "xbits:verb,name,track ip_src|ip_dst|ip_pair[,expire s]", "bits of hosts and pairs",
            .suricata, "xbits:set,a,track ip_src,expire 9;"),
        Keyword(
            "hostbits", .memory, "hostbits:verb,name[,src|dst]", "bits of hosts", .suricata, "hostbits:set,a,dst;"),
    ]

    private static let frequency: [Keyword] = [
        Keyword(
            "threshold", .frequency,
            "threshold:type limit|threshold|both|backoff, track by_src|by_dst|by_both|by_rule|by_flow, count n, seconds s",
            "which of its matches alert; backoff: the first, then each multiplier times as many", .both,
            "threshold:type limit, track by_src, count 1, seconds 60;"),
        Keyword(
            "detection_filter", .frequency,
            "detection_filter:track by_src|by_dst|by_both|by_rule|by_flow, count n, seconds s[, unique_on src_port|dst_port]",
            "it matches from the match after the nth on", .both,
            "detection_filter:track by_dst, count 5, seconds 60;"),
        Keyword(
            "tag", .frequency, "tag:session|host[,n,packets|seconds|bytes][,src|dst]",
            "what follows is written as packet events", .both, "tag:session,5,packets;"),
    ]
}
