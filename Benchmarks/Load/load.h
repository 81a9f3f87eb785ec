// flinch-load: the traffic of the benchmarks, one command a file. Every command is bounded: in packets,
// in seconds, or both.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>

int generate(int count, char **arguments);
int flood(int count, char **arguments);
int drain(int count, char **arguments);
int echo(int count, char **arguments);
int ping(int count, char **arguments);
int spin(int count, char **arguments);

// Prints `flinch-load: what: errno as text` and exits with 1.
_Noreturn void fail(const char *what);
// The number in `text`, or a message and exit with 2.
long long number(const char *text, long long low, long long high);
// Nanoseconds of CLOCK_MONOTONIC.
uint64_t now(void);
// Ends the process `seconds` from now, whatever it waits for.
void bound(int seconds);
