// Counts heap allocations: malloc and its relatives, as the program and every library it uses call them.
#pragma once
#include <stdint.h>

// Allocations and reallocations of the calling thread so far.
uint64_t allocations_of_this_thread(void);
