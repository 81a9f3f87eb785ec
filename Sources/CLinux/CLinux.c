#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/if_bridge.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct flinch_mmsghdr) == sizeof(struct mmsghdr), "mmsghdr");
_Static_assert(offsetof(struct flinch_mmsghdr, msg_len) == offsetof(struct mmsghdr, msg_len), "msg_len");

int flinch_recvmmsg(int fd, struct flinch_mmsghdr *vector, unsigned int count, int flags) {
    return recvmmsg(fd, (struct mmsghdr *)vector, count, flags, NULL);
}

int flinch_receive_timeout(int fd, unsigned int milliseconds) {
    struct timeval patience = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

int flinch_pin_to_core(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0 || core >= CPU_SETSIZE) return EINVAL;
    CPU_SET(core, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

uint64_t flinch_usable_cores(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    uint64_t mask = 0;
    for (int core = 0; core < 64; core++)
        if (CPU_ISSET(core, &set)) mask |= 1ull << core;
    return mask;
}

void flinch_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int flinch_peer(int socket, int *process, uint32_t *user) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *process = peer.pid;
    *user = peer.uid;
    return 0;
}

int flinch_thread_identifier(void) { return gettid(); }

static uint64_t nanoseconds(struct timeval t) {
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_usec * 1000ull;
}

int flinch_thread_usage(uint64_t *user, uint64_t *system) {
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0) return -1;
    *user = nanoseconds(usage.ru_utime);
    *system = nanoseconds(usage.ru_stime);
    return 0;
}

static uint64_t clock_in_nanoseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

uint64_t flinch_now(void) { return clock_in_nanoseconds(CLOCK_REALTIME); }

uint64_t flinch_monotonic(void) { return clock_in_nanoseconds(CLOCK_MONOTONIC); }

int flinch_enter_network(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    int result = setns(file, CLONE_NEWNET);
    int code = errno;
    close(file);
    errno = code;
    return result;
}

int flinch_unshare_network(void) { return unshare(CLONE_NEWNET); }

int flinch_frame_socket(void) { return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

int flinch_capture_socket(void) { return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

int flinch_bind_capture(int fd, unsigned int interface) {
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)interface};
    socklen_t size = sizeof to;
    if (bind(fd, (struct sockaddr *)&to, size) != 0 || getsockname(fd, (struct sockaddr *)&to, &size) != 0) return -1;
    return to.sll_hatype;
}

int flinch_capture_interface(int fd) {
    struct sockaddr_ll at;
    socklen_t size = sizeof at;
    return getsockname(fd, (struct sockaddr *)&at, &size) == 0 ? at.sll_ifindex : -1;
}

int flinch_attach_filter(int fd, const void *instructions, unsigned short count) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int flinch_send_frame(int fd, unsigned int interface, const void *frame, size_t length) {
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)interface};
    if (length < ETH_HLEN) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&to.sll_protocol, (const char *)frame + 2 * ETH_ALEN, sizeof to.sll_protocol);
    return sendto(fd, frame, length, 0, (struct sockaddr *)&to, sizeof to) < 0 ? -1 : 0;
}

int flinch_hardware_address(int fd, unsigned int interface, unsigned char address[6]) {
    struct ifreq request = {.ifr_ifindex = (int)interface};
    if (ioctl(fd, SIOCGIFNAME, &request) != 0 || ioctl(fd, SIOCGIFHWADDR, &request) != 0) return -1;
    memcpy(address, request.ifr_hwaddr.sa_data, 6);
    return 0;
}

int flinch_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int flinch_bridge_ports(const char *bridge, int *indices, int capacity) {
    struct ifreq request = {0};
    int fd, count;
    unsigned long arguments[4] = {BRCTL_GET_PORT_LIST, (unsigned long)indices, (unsigned long)capacity, 0};

    if (strlen(bridge) >= sizeof request.ifr_name) return -1;
    strcpy(request.ifr_name, bridge);
    request.ifr_data = (void *)arguments;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    memset(indices, 0, (size_t)capacity * sizeof *indices);
    count = ioctl(fd, SIOCDEVPRIVATE, &request);
    close(fd);
    return count;
}

void flinch_trim_memory(void) { malloc_trim(0); }

// Text and constants of one object.
static int unmap_unwritten(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size, (void)context;
    const uintptr_t page = (uintptr_t)getpagesize();
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz + page - 1) & ~(page - 1);
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void flinch_unmap_code(void) { dl_iterate_phdr(unmap_unwritten, NULL); }
