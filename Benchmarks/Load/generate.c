// generate: UDP frames straight into an interface, past its queueing discipline.
#include "load.h"
#include "frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 32, HEADERS = 14 + 20 + 8, LARGEST = 1514 };

struct frame {
    struct ether_header ethernet;
    struct iphdr ip;
    struct udphdr udp;
    uint8_t payload[LARGEST - HEADERS];
} __attribute__((packed));

static const char usage[] =
    "usage: flinch-load generate --interface NAME --destination-mac MAC --source A --destination A …\n"
    "Sends UDP frames and prints {\"sent\":n,\"nanoseconds\":n}.\n"
    "  --size BYTES     of the Ethernet frame without its checksum, 60 (default) to 1514\n"
    "  --flows N        source addresses, from --source upwards, each with a port of its own (1)\n"
    "  --count N        packets to send (no limit)\n"
    "  --seconds N      time to send in, at most 60 (10)\n"
    "  --rate N         packets a second, in bursts of 32 (0: as fast as possible)\n"
    "  --port N         destination port (9, discard)\n";

int generate(int count, char **arguments) {
    static const struct option options[] = {
        {"interface", required_argument, NULL, 'i'}, {"destination-mac", required_argument, NULL, 'm'},
        {"source", required_argument, NULL, 's'},    {"destination", required_argument, NULL, 'd'},
        {"size", required_argument, NULL, 'z'},      {"flows", required_argument, NULL, 'f'},
        {"count", required_argument, NULL, 'c'},     {"seconds", required_argument, NULL, 't'},
        {"rate", required_argument, NULL, 'r'},      {"port", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    const char *interface = NULL;
    struct in_addr source = {0}, destination = {0};
    uint8_t mac[6];
    size_t size = 60;
    uint32_t flows = 1;
    uint64_t limit = UINT64_MAX, rate = 0, seconds = 10;
    uint16_t port = 9;
    int option, addressed = 0;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'i': interface = optarg; break;
        case 'm': addressed += read_mac(optarg, mac); break;
        case 's': addressed += inet_pton(AF_INET, optarg, &source); break;
        case 'd': addressed += inet_pton(AF_INET, optarg, &destination); break;
        case 'z': size = (size_t)number(optarg, 60, LARGEST); break;
        case 'f': flows = (uint32_t)number(optarg, 1, 64000); break;
        case 'c': limit = (uint64_t)number(optarg, 1, 1000000000); break;
        case 't': seconds = (uint64_t)number(optarg, 1, 60); break;
        case 'r': rate = (uint64_t)number(optarg, 0, 100000000); break;
        case 'p': port = (uint16_t)number(optarg, 0, 65535); break;
        default: return fputs(usage, stderr), 2;
        }
    }
    if (!interface || addressed != 3) return fputs(usage, stderr), 2;

    int fd = packet_socket(interface);

    // A frame of each burst keeps its place; only its source and the checksums change.
    static struct frame frames[BURST];
    struct iovec vectors[BURST];
    struct mmsghdr messages[BURST];
    memset(messages, 0, sizeof messages);
    uint16_t udp_length = (uint16_t)(size - 34);
    for (int i = 0; i < BURST; i++) {
        struct frame *f = &frames[i];
        address_frame(&f->ethernet, mac);
        f->ip = (struct iphdr){.version = 4, .ihl = 5, .tot_len = htons((uint16_t)(size - 14)), .ttl = 64,
                               .protocol = IPPROTO_UDP, .daddr = destination.s_addr};
        f->udp = (struct udphdr){.dest = htons(port), .len = htons(udp_length)};
        memset(f->payload, 'f', sizeof f->payload);
        vectors[i] = (struct iovec){.iov_base = f, .iov_len = size};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    uint32_t ip_sum = sum(0, &frames[0].ip, 20);
    // The pseudo-header repeats the length; protocol 17 (RFC 768).
    uint32_t udp_sum = sum(17 + udp_length, &frames[0].ip.daddr, 4);
    udp_sum = sum(udp_sum, &frames[0].udp, udp_length);

    uint64_t sent = 0, start = now(), end = start + seconds * 1000000000u, time = start;
    uint32_t flow = 0;
    while (sent < limit && (time = now()) < end) {
        uint64_t due = limit - sent;
        if (rate) {
            uint64_t allowed = BURST + (uint64_t)((__uint128_t)(time - start) * rate / 1000000000u);
            if (allowed < sent + BURST) continue;
        }
        unsigned burst = due < BURST ? (unsigned)due : BURST;
        for (unsigned i = 0; i < burst; i++) {
            struct frame *f = &frames[i];
            uint32_t address = ntohl(source.s_addr) + flow;
            uint16_t from = (uint16_t)(1024 + flow);
            f->ip.saddr = htonl(address);
            f->udp.source = htons(from);
            uint32_t pseudo = (address >> 16) + (address & 0xffff);
            f->ip.check = folded(ip_sum + pseudo);
            f->udp.check = folded(udp_sum + pseudo + from);
            if (++flow == flows) flow = 0;
        }
        int n = sendmmsg(fd, messages, burst, 0);
        if (n < 0) {
            // The next hop's backlog is full: what was not taken is made again.
            if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) fail("sendmmsg");
            n = 0;
        }
        flow = (flow + flows - (burst - (unsigned)n) % flows) % flows;
        sent += (unsigned)n;
    }
    uint64_t wall = now() - start;
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    printf("{\"sent\":%llu,\"nanoseconds\":%llu,\"cpu\":%llu}\n", (unsigned long long)sent, (unsigned long long)wall,
           (unsigned long long)cpu.tv_sec * 1000000000u + (unsigned long long)cpu.tv_nsec);
    return 0;
}
