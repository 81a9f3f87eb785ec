// ping and echo: the round trip of a small UDP packet between two user programs.
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIZE = 64, PORT = 7 };

static const char usage[] =
    "usage: flinch-load echo --seconds N\n"
    "Returns every UDP packet to its sender, port 7, for N seconds.\n"
    "usage: flinch-load ping --to ADDRESS [--count N] [--seconds N]\n"
    "Sends a packet as soon as the last was answered. Prints the nanoseconds of each round trip, a line\n"
    "each, and `lost` for each that was not answered within a second.\n";

static const struct option options[] = {
    {"seconds", required_argument, NULL, 's'},
    {"to", required_argument, NULL, 't'},
    {"count", required_argument, NULL, 'c'},
    {NULL, 0, NULL, 0},
};

int echo(int count, char **arguments) {
    int option;
    int seconds = 0;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        if (option != 's') return fputs(usage, stderr), 2;
        seconds = (int)number(optarg, 1, 3600);
    }
    if (seconds == 0) return fputs(usage, stderr), 2;
    bound(seconds);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)}, peer;
    if (fd < 0 || bind(fd, (void *)&here, sizeof here)) fail("echo port");
    printf("ready\n");
    fflush(stdout);
    for (char bytes[2048];;) {
        socklen_t size = sizeof peer;
        ssize_t n = recvfrom(fd, bytes, sizeof bytes, 0, (void *)&peer, &size);
        if (n >= 0) sendto(fd, bytes, (size_t)n, 0, (void *)&peer, size);
        else if (errno != EINTR && errno != ECONNREFUSED) fail("receive");
    }
}

int ping(int count, char **arguments) {
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    uint64_t wanted = 1000000, seconds = 10;
    int option;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 's': seconds = (uint64_t)number(optarg, 1, 60); break;
        case 'c': wanted = (uint64_t)number(optarg, 1, 10000000); break;
        case 't':
            if (inet_pton(AF_INET, optarg, &peer.sin_addr) == 1) break;
            return fputs(usage, stderr), 2;
        default: return fputs(usage, stderr), 2;
        }
    }
    if (peer.sin_addr.s_addr == 0) return fputs(usage, stderr), 2;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (void *)&peer, sizeof peer)) fail("connect");
    struct timeval second = {.tv_sec = 1};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second)) fail("SO_RCVTIMEO");
    uint64_t *times = calloc(wanted, sizeof *times);
    if (!times) fail("memory");

    // The sequence number tells a late answer to an earlier packet from the one that is awaited.
    uint64_t sent = 0, end = now() + seconds * 1000000000u;
    for (; sent < wanted && now() < end; sent++) {
        uint8_t bytes[SIZE] = {0};
        memcpy(bytes, &sent, sizeof sent);
        uint64_t start = now();
        if (send(fd, bytes, sizeof bytes, 0) != sizeof bytes) continue;
        for (uint64_t answer = UINT64_MAX; answer != sent;) {
            ssize_t n = recv(fd, bytes, sizeof bytes, 0);
            if (n < 0 && errno != EINTR) break;
            if (n == sizeof bytes) memcpy(&answer, bytes, sizeof answer);
            if (answer == sent) times[sent] = now() - start;
        }
    }
    for (uint64_t i = 0; i < sent; i++) {
        if (times[i]) printf("%llu\n", (unsigned long long)times[i]);
        else puts("lost");
    }
    return 0;
}
