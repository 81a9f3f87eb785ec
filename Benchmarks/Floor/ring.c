// ring: what any listener costs before it has looked at a single byte.
//
// One pinned thread walks a TPACKET_V3 ring at an interface, counts the packets and their bytes, and gives the blocks
// back: the least that is still a listener. Blocks, their size and their time-out are those of Flinch's ring.
//
//     flinch-floor ring --interface NAME [--core N] [--ring BYTES]
//
// Prints `ready`, then at SIGTERM or SIGINT, once the ring is empty, one line of JSON, and ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, PATIENCE = 8 };

static volatile sig_atomic_t stopping;

static void stop(int signal) {
    (void)signal;
    stopping = 1;
}

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "flinch-floor ring: %s: %s\n", what, strerror(errno));
    exit(1);
}

int ring(int count, char **arguments) {
    static const struct option options[] = {
        {"interface", required_argument, NULL, 'i'},
        {"core", required_argument, NULL, 'c'},
        {"ring", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    const char *interface = "";
    int option, core = 0;
    unsigned blocks = (32 << 20) / BLOCK;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'i': interface = optarg; break;
        case 'c': core = atoi(optarg); break;
        case 'r': blocks = (unsigned)atoi(optarg) / BLOCK; break;
        default: return 2;
        }
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set)) fail("core");

    int fd = socket(AF_PACKET, SOCK_RAW, 0), version = TPACKET_V3;
    if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version)) fail("socket");
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK, .tp_block_nr = blocks, .tp_frame_size = 2048,
        .tp_frame_nr = blocks * (BLOCK / 2048), .tp_retire_blk_tov = PATIENCE};
    if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request)) fail("ring");
    uint8_t *memory = mmap(NULL, (size_t)blocks * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) fail("mmap");
    struct packet_mreq everything = {.mr_ifindex = (int)if_nametoindex(interface), .mr_type = PACKET_MR_PROMISC};
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &everything, sizeof everything)) fail("promiscuous");
    struct sockaddr_ll place = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = everything.mr_ifindex};
    if (bind(fd, (struct sockaddr *)&place, sizeof place)) fail("bind");
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    printf("ready\n");
    fflush(stdout);

    uint64_t packets = 0, bytes = 0;
    int silent = 0;
    for (unsigned block = 0; !stopping || silent < 2;) {
        struct tpacket_block_desc *head = (struct tpacket_block_desc *)(memory + (size_t)block * BLOCK);
        _Atomic uint32_t *status = (_Atomic uint32_t *)&head->hdr.bh1.block_status;
        if (!(atomic_load_explicit(status, memory_order_acquire) & TP_STATUS_USER)) {
            struct pollfd ready = {.fd = fd, .events = POLLIN};
            silent = poll(&ready, 1, stopping ? 20 : 50) == 0 && stopping ? silent + 1 : 0;
            continue;
        }
        struct tpacket3_hdr *frame = (struct tpacket3_hdr *)((uint8_t *)head + head->hdr.bh1.offset_to_first_pkt);
        for (uint32_t left = head->hdr.bh1.num_pkts; left > 0; left--) {
            packets++;
            bytes += frame->tp_len;
            frame = (struct tpacket3_hdr *)((uint8_t *)frame + frame->tp_next_offset);
        }
        atomic_store_explicit(status, TP_STATUS_KERNEL, memory_order_release);
        block = block + 1 == blocks ? 0 : block + 1;
    }
    struct tpacket_stats_v3 counted;
    socklen_t size = sizeof counted;
    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &counted, &size)) fail("statistics");
    printf("{\"packets\":%llu,\"bytes\":%llu,\"came\":%u,\"dropped\":%u}\n", (unsigned long long)packets,
           (unsigned long long)bytes, counted.tp_packets, counted.tp_drops);
    return 0;
}
