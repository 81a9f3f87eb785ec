// What Glibc's module does not show to Swift: GNU extensions and macros, as static-inline shims.
// Nothing here decides anything; each function is the system call that it is named after.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>


static inline int flinch_recvmmsg(int fd, struct mmsghdr *vector, unsigned int count, int flags) {
    return recvmmsg(fd, vector, count, flags, NULL);
}

// Pins the calling thread to one core. Returns 0 or an errno value.
static inline int flinch_pin_to_core(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0 || core >= CPU_SETSIZE) return EINVAL;
    CPU_SET(core, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// The cores that this process may run on, as a bit mask of the first 64; 0 on failure.
static inline uint64_t flinch_usable_cores(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    uint64_t mask = 0;
    for (int core = 0; core < 64; core++)
        if (CPU_ISSET(core, &set)) mask |= 1ull << core;
    return mask;
}

static inline void flinch_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

// User and system CPU time of the calling thread. Returns 0 or -1 with errno.
static inline int flinch_thread_usage(struct rusage *usage) {
    return getrusage(RUSAGE_THREAD, usage);
}

// Nanoseconds since the Unix epoch, from the vDSO.
static inline uint64_t flinch_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

// Nanoseconds of a clock that never steps back, from the vDSO.
static inline uint64_t flinch_monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

// Moves the calling thread, and no other, into the network namespace at `path`. Returns 0 or -1 with errno.
static inline int flinch_enter_network(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    int result = setns(file, CLONE_NEWNET);
    int code = errno;
    close(file);
    errno = code;
    return result;
}
