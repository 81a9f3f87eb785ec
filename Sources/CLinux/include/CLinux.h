// What Glibc's module does not show to Swift: GNU extensions and macros. Nothing here decides anything;
// each function is the system call, or the instruction, that it is named after.
//
// The header must not define _GNU_SOURCE: the same C headers seen with and without it are two different
// modules to the compiler. What needs it is in CLinux.c.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

// struct mmsghdr of recvmmsg(2); checked against the real one in CLinux.c.
struct flinch_mmsghdr {
    struct msghdr msg_hdr;
    // Written by the kernel: bytes received.
    unsigned int msg_len;
};

// recvmmsg(2) without a timeout. Returns the number of messages, or -1 with errno.
int flinch_recvmmsg(int fd, struct flinch_mmsghdr *vector, unsigned int count, int flags);

// Begins to fetch a cache line; any address will do.
static inline void flinch_prefetch(const void *address) { __builtin_prefetch(address); }

// malloc_trim(3): gives memory that was freed back to the system.
void flinch_trim_memory(void);

// Unmaps the pages of the program and its libraries that cannot be written (madvise(2), MADV_DONTNEED): most are only
// needed to start. What is used again is mapped again, from the page cache, at a minor fault for some pages each; a
// debugger's breakpoints are lost.
void flinch_unmap_code(void);

// SO_RCVTIMEO: a receive gives up with EAGAIN after so long. Returns 0 or -1 with errno.
int flinch_receive_timeout(int fd, unsigned int milliseconds);

// Pins the calling thread to one core. Returns 0 or an errno value.
int flinch_pin_to_core(int core);

// The cores that this process may run on, as a bit mask of the first 64; 0 on failure.
uint64_t flinch_usable_cores(void);

// Names the calling thread, 15 bytes at most.
void flinch_name_thread(const char *name);

// Who is at the other end of a Unix socket (unix(7), SO_PEERCRED). Returns 0 or -1 with errno.
int flinch_peer(int socket, int *process, uint32_t *user);

// Identifier of the calling thread, as /proc/self/task names it.
int flinch_thread_identifier(void);

// CPU time of the calling thread in nanoseconds. Returns 0 or -1 with errno.
int flinch_thread_usage(uint64_t *user, uint64_t *system);

// Nanoseconds since the Unix epoch, from the vDSO.
uint64_t flinch_now(void);

// Nanoseconds of a clock that never steps back, from the vDSO.
uint64_t flinch_monotonic(void);

// A socket that sends whole Ethernet frames and receives nothing (packet(7)). Needs CAP_NET_RAW. Returns it,
// or -1 with errno.
int flinch_frame_socket(void);

// The same for receiving: it is bound to no interface and no protocol yet, so nothing comes. Returns it, or -1 with errno.
int flinch_capture_socket(void);

// Binds such a socket to an interface, all protocols. Returns the interface's hardware type (linux/if_arp.h), or -1 with
// errno.
int flinch_bind_capture(int fd, unsigned int interface);

// Index of the interface that such a socket is bound to; 0 for none, -1 once that is gone or with errno.
int flinch_capture_interface(int fd);

// Puts a filter (struct sock_filter[count]) in the place of the one that is there. Returns 0 or -1 with errno.
int flinch_attach_filter(int fd, const void *instructions, unsigned short count);

// Sends a frame, Ethernet header first, by the interface with this index. Returns 0 or -1 with errno.
int flinch_send_frame(int fd, unsigned int interface, const void *frame, size_t length);

// Moves the calling thread, and no other, into the network namespace at `path`. Returns 0 or -1 with errno.
int flinch_enter_network(const char *path);

// Gives the calling thread a network namespace of its own. Returns 0, or -1 with errno.
int flinch_unshare_network(void);

// The hardware address of the interface with this index, by any socket. Returns 0, or -1 with errno.
int flinch_hardware_address(int fd, unsigned int interface, unsigned char address[6]);

// The interface indices of a bridge's ports, by port number; 0 where there is none (linux/if_bridge.h). Returns how
// many places were filled in, or -1 with errno: there is no such bridge.
int flinch_bridge_ports(const char *bridge, int *indices, int capacity);

// eventfd(2) that does not block: a counter that one thread raises and another waits for with poll(2).
// Returns the descriptor or -1 with errno.
int flinch_eventfd(void);
