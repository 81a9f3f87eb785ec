// Counts heap allocations: malloc and its relatives, as the program and every library it uses call them.
//
// Linked into a program it counts that program's. As libCAllocations.so in LD_PRELOAD it counts another's,
// and shows the counts of up to 256 threads in the file that FLINCH_ALLOCATIONS names, while they change.
#pragma once
#include <stdint.h>

// Allocations and reallocations of the calling thread so far.
uint64_t allocations_of_this_thread(void);

// One thread's line in that file.
struct thread_allocations {
    uint64_t allocations;
    // Thread id; 0 for a line that is free.
    uint64_t thread;
};

enum { THREAD_ALLOCATIONS_LINES = 256 };
