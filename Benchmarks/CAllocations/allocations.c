// A definition in the executable, or in a library that is preloaded, comes before the C library's: these
// are the ones that everybody gets, the Swift runtime (swift_slowAlloc), Foundation and Hyperscan too. Each
// counts, then calls the allocator that glibc exports under a second name for this purpose. Freeing is left
// alone.
#define _GNU_SOURCE
#include "CAllocations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// Initial-exec: the other models allocate a thread's variables when they are first touched, by malloc.
#define OF_THIS_THREAD static _Thread_local __attribute__((tls_model("initial-exec")))

OF_THIS_THREAD uint64_t unshared;
OF_THIS_THREAD uint64_t *count;

static struct thread_allocations *table;
static _Atomic unsigned lines;

// Before a thread's first allocation, and for the first thread once more when there is a table.
static void enlist(void) {
    count = &unshared;
    if (table == NULL) return;
    unsigned line = atomic_fetch_add(&lines, 1);
    if (line >= THREAD_ALLOCATIONS_LINES) return;
    table[line].thread = (uint64_t)gettid();
    count = &table[line].allocations;
}

static void note(void) {
    if (count == NULL) enlist();
    // The thread is the only writer of its line.
    ++*count;
}

__attribute__((constructor)) static void share(void) {
    const char *path = getenv("FLINCH_ALLOCATIONS");
    if (path == NULL) return;
    size_t size = THREAD_ALLOCATIONS_LINES * sizeof *table;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return;
    void *memory = ftruncate(file, (off_t)size) ? MAP_FAILED
                                                : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return;
    table = memory;
    enlist();
}

uint64_t allocations_of_this_thread(void) { return count ? *count : 0; }

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note();
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    note();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
    note();
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}
