// The floor: what any NFQUEUE filter costs before it has looked at a single byte.
//
// One pinned thread a queue. A thread receives a batch with recvmmsg, reads no more of it than the id
// of its last packet, and accepts everything up to that id with one batch verdict in one send. The
// kernel copies every packet in full and does not segment it (NFQA_CFG_F_GSO), as it must for a filter
// that inspects. Nothing cheaper is still a filter: a benchmark of Flinch is a share of this.
//
//     flinch-floor [--first-queue N] [--cores LIST] [--batch N] [--queue-length N] [--receive-buffer BYTES]
//
// `flinch-floor ring` is the same for who only listens (ring.c).
//
// LIST is a core a queue, as in 1 or 1,2,3. Prints `ready`, then one line of JSON for each SIGUSR1, and
// one at SIGTERM or SIGINT, before it ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_QUEUES = 64,
    MAX_BATCH = 1024,
    // A packet of 64 KiB and its metadata. The odd 320 bytes spread the heads of the buffers over the
    // sets of the first-level cache; at a stride of whole pages they would all share the same five.
    STRIDE = (64 + 4) * 1024 + 320,
};

struct worker {
    pthread_t thread;
    int queue, core, socket;
    // Counted by the worker alone; read by the main thread, which tolerates being a batch behind.
    _Atomic uint64_t packets, batches, lost;
    // Filled by the worker in its signal handler, then announced by `reports`.
    struct rusage usage;
    _Atomic unsigned reports;
} __attribute__((aligned(128)));

static struct worker workers[MAX_QUEUES];
static int worker_count, batch = 64, queue_length = 16384, receive_buffer = 64 << 20;
static _Thread_local struct worker *self;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "flinch-floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t nanoseconds(struct timeval t) {
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

// ---- Netlink messages ----

struct message {
    struct nlmsghdr header;
    struct nfgenmsg family;
    uint8_t attributes[64];
};

static void begin(struct message *m, int type, int queue) {
    memset(m, 0, sizeof *m);
    m->header.nlmsg_len = NLMSG_LENGTH(sizeof m->family);
    m->header.nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
    m->header.nlmsg_flags = NLM_F_REQUEST;
    m->family.nfgen_family = AF_UNSPEC;
    m->family.res_id = htons((uint16_t)queue);
}

static void put(struct message *m, int type, const void *value, size_t size) {
    struct nlattr *attribute = (struct nlattr *)((uint8_t *)m + NLMSG_ALIGN(m->header.nlmsg_len));
    attribute->nla_type = (uint16_t)type;
    attribute->nla_len = (uint16_t)(NLA_HDRLEN + size);
    memcpy((uint8_t *)attribute + NLA_HDRLEN, value, size);
    m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + NLA_ALIGN(attribute->nla_len);
}

static void send_message(int socket, const struct message *m) {
    if (send(socket, m, m->header.nlmsg_len, 0) < 0) fail("send");
}

static int open_queue(int queue) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (fd < 0 || bind(fd, (void *)&kernel, sizeof kernel) || connect(fd, (void *)&kernel, sizeof kernel))
        fail("netlink socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer))
        fail("SO_RCVBUFFORCE");
    // A lost message must not also stop the ones behind it. The kernel counts it.
    int one = 1;
    if (setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof one)) fail("NETLINK_NO_ENOBUFS");

    // Until the second message sets a copy mode no packet comes, so the answer to the first is its
    // acknowledgement and nothing else.
    struct message m;
    begin(&m, NFQNL_MSG_CONFIG, queue);
    m.header.nlmsg_flags |= NLM_F_ACK;
    struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_BIND, .pf = htons(AF_UNSPEC)};
    put(&m, NFQA_CFG_CMD, &command, sizeof command);
    send_message(fd, &m);
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[256];
    } answer;
    if (recv(fd, &answer, sizeof answer, 0) < (ssize_t)(sizeof answer.header + sizeof answer.error.error))
        fail("bind queue");
    if (answer.header.nlmsg_type == NLMSG_ERROR && answer.error.error) {
        errno = -answer.error.error;
        fail("bind queue");
    }

    begin(&m, NFQNL_MSG_CONFIG, queue);
    uint32_t length = htonl((uint32_t)queue_length), gso = htonl(NFQA_CFG_F_GSO);
    struct nfqnl_msg_config_params whole = {.copy_range = htonl(0xffff), .copy_mode = NFQNL_COPY_PACKET};
    put(&m, NFQA_CFG_QUEUE_MAXLEN, &length, sizeof length);
    put(&m, NFQA_CFG_FLAGS, &gso, sizeof gso);
    put(&m, NFQA_CFG_MASK, &gso, sizeof gso);
    put(&m, NFQA_CFG_PARAMS, &whole, sizeof whole);
    send_message(fd, &m);
    return fd;
}

// The id of the packet in one message; 0, which the kernel never uses, if the message carries none.
static uint32_t packet_id(const uint8_t *bytes, size_t size) {
    const struct nlmsghdr *header = (const void *)bytes;
    if (size < NLMSG_LENGTH(sizeof(struct nfgenmsg))) return 0;
    if (header->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(header);
        errno = -error->error;
        if (errno) fail("the kernel refused a message");
    }
    if (header->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) return 0;
    size_t at = NLMSG_LENGTH(sizeof(struct nfgenmsg));
    while (at + sizeof(struct nlattr) <= size) {
        const struct nlattr *attribute = (const void *)(bytes + at);
        if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > size - at) return 0;
        if ((attribute->nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR) {
            if (attribute->nla_len < NLA_HDRLEN + sizeof(struct nfqnl_msg_packet_hdr)) return 0;
            const struct nfqnl_msg_packet_hdr *packet = (const void *)(bytes + at + NLA_HDRLEN);
            return ntohl(packet->packet_id);
        }
        at += NLA_ALIGN(attribute->nla_len);
    }
    return 0;
}

// ---- The loop ----

static void *work(void *argument) {
    self = argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(self->core, &set);
    errno = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (errno) fail("pin to core");

    size_t size = (size_t)batch * STRIDE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    uint8_t *slab = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (slab == MAP_FAILED) fail("receive buffers");
    struct mmsghdr *messages = calloc((size_t)batch, sizeof *messages);
    struct iovec *vectors = calloc((size_t)batch, sizeof *vectors);
    if (!messages || !vectors) fail("receive buffers");
    for (int i = 0; i < batch; i++) {
        vectors[i] = (struct iovec){.iov_base = slab + (size_t)i * STRIDE, .iov_len = STRIDE};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    struct message verdict;
    begin(&verdict, NFQNL_MSG_VERDICT_BATCH, self->queue);
    struct nfqnl_msg_verdict_hdr *accept = (void *)(verdict.attributes + NLA_HDRLEN);
    struct nfqnl_msg_verdict_hdr value = {.verdict = htonl(NF_ACCEPT)};
    put(&verdict, NFQA_VERDICT_HDR, &value, sizeof value);

    atomic_store(&self->reports, 1);  // From here on a signal finds `self`.
    for (;;) {
        int n = recvmmsg(self->socket, messages, (unsigned)batch, MSG_WAITFORONE, NULL);
        if (n < 0) {
            if (errno == EINTR) continue;
            if (errno != ENOBUFS) fail("recvmmsg");
            atomic_fetch_add_explicit(&self->lost, 1, memory_order_relaxed);
            continue;
        }
        // Ids only rise, so the last packet's covers the batch.
        uint32_t last = packet_id(vectors[n - 1].iov_base, messages[n - 1].msg_len);
        if (last == 0) continue;
        accept->id = htonl(last);
        send_message(self->socket, &verdict);
        atomic_store_explicit(&self->packets, self->packets + (uint64_t)n, memory_order_relaxed);
        atomic_store_explicit(&self->batches, self->batches + 1, memory_order_relaxed);
    }
}

// RUSAGE_THREAD is the caller's own, so each worker reads its usage itself.
static void report(int signal) {
    (void)signal;
    int saved = errno;
    getrusage(RUSAGE_THREAD, &self->usage);
    atomic_fetch_add(&self->reports, 1);
    errno = saved;
}

static void print_usage(void) {
    printf("{\"queues\":[");
    for (int i = 0; i < worker_count; i++) {
        struct worker *w = &workers[i];
        unsigned before = atomic_load(&w->reports);
        pthread_kill(w->thread, SIGUSR2);
        while (atomic_load(&w->reports) == before) usleep(100);
        printf("%s{\"number\":%d,\"core\":%d,\"packets\":%llu,\"batches\":%llu,\"lost\":%llu,"
               "\"userNanoseconds\":%llu,\"systemNanoseconds\":%llu}",
               i ? "," : "", w->queue, w->core, (unsigned long long)w->packets,
               (unsigned long long)w->batches, (unsigned long long)w->lost,
               (unsigned long long)nanoseconds(w->usage.ru_utime),
               (unsigned long long)nanoseconds(w->usage.ru_stime));
    }
    printf("]}\n");
    fflush(stdout);
}

static int number(const char *text, int low, int high) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end == 0 && end != text && value >= low && value <= high) return (int)value;
    fprintf(stderr, "flinch-floor: %s: a number from %d to %d is needed\n", text, low, high);
    exit(2);
}

// ring.c
int ring(int count, char **arguments);

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "ring") == 0) return ring(count - 1, arguments + 1);
    static const struct option options[] = {
        {"first-queue", required_argument, NULL, 'q'},   {"cores", required_argument, NULL, 'c'},
        {"batch", required_argument, NULL, 'b'},         {"queue-length", required_argument, NULL, 'l'},
        {"receive-buffer", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0},
    };
    int first = 0, option;
    char default_cores[] = "0", *cores = default_cores;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'q': first = number(optarg, 0, 65535 - MAX_QUEUES); break;
        case 'c': cores = optarg; break;
        case 'b': batch = number(optarg, 1, MAX_BATCH); break;
        case 'l': queue_length = number(optarg, 1, 1 << 24); break;
        case 'r': receive_buffer = number(optarg, 1 << 16, 1 << 30); break;
        default: return 2;
        }
    }
    for (char *core = strtok(cores, ","); core && worker_count < MAX_QUEUES; core = strtok(NULL, ",")) {
        struct worker *w = &workers[worker_count];
        w->core = number(core, 0, CPU_SETSIZE - 1);
        w->queue = first + worker_count++;
        w->socket = open_queue(w->queue);
    }

    struct sigaction on_report = {.sa_handler = report, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &on_report, NULL);
    sigset_t mine;
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR1);
    sigaddset(&mine, SIGTERM);
    sigaddset(&mine, SIGINT);
    pthread_sigmask(SIG_BLOCK, &mine, NULL);
    for (int i = 0; i < worker_count; i++) {
        errno = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
        if (errno) fail("thread");
        while (atomic_load(&workers[i].reports) == 0) usleep(100);
    }
    printf("ready\n");
    fflush(stdout);
    for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
        if (sigwait(&mine, &signal) == 0) print_usage();
    }
    return 0;
}
