// drain: continues a stopped consumer and takes the time until all that was queued has arrived.
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: flinch-load drain --pid PID --interface NAME --count N [--timeout SECONDS]\n"
    "Sends SIGCONT to PID and prints {\"arrived\":n,\"nanoseconds\":n} once N packets have come in by NAME\n"
    "since then, or when the time (5 s) is over.\n";

static uint64_t received(int fd) {
    char text[32];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) fail("interface statistics");
    text[n] = 0;
    return strtoull(text, NULL, 10);
}

int drain(int count, char **arguments) {
    static const struct option options[] = {
        {"pid", required_argument, NULL, 'p'},   {"interface", required_argument, NULL, 'i'},
        {"count", required_argument, NULL, 'c'}, {"timeout", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    pid_t pid = 0;
    const char *interface = NULL;
    uint64_t wanted = 0, timeout = 5;
    int option;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'p': pid = (pid_t)number(optarg, 2, 1 << 22); break;
        case 'i': interface = optarg; break;
        case 'c': wanted = (uint64_t)number(optarg, 1, 1000000000); break;
        case 't': timeout = (uint64_t)number(optarg, 1, 60); break;
        default: return fputs(usage, stderr), 2;
        }
    }
    if (!pid || !interface || !wanted) return fputs(usage, stderr), 2;
    char path[128];
    snprintf(path, sizeof path, "/sys/class/net/%s/statistics/rx_packets", interface);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail(path);

    // It looks every 50 µs and sleeps in between: a busy look would take cache lines and, where two
    // virtual cores are one physical one, cycles from the consumer.
    prctl(PR_SET_TIMERSLACK, 1);
    const struct timespec pause = {.tv_nsec = 50000};
    uint64_t before = received(fd), arrived = 0, start = now(), time = start;
    if (kill(pid, SIGCONT)) fail("SIGCONT");
    while (arrived < wanted && time - start < timeout * 1000000000u) {
        nanosleep(&pause, NULL);
        arrived = received(fd) - before;
        time = now();
    }
    printf("{\"arrived\":%llu,\"nanoseconds\":%llu}\n", (unsigned long long)arrived,
           (unsigned long long)(time - start));
    return 0;
}
