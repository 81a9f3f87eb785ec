#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Noreturn void fail(const char *what) {
    fprintf(stderr, "flinch-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

long long number(const char *text, long long low, long long high) {
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*end == 0 && end != text && value >= low && value <= high) return value;
    fprintf(stderr, "flinch-load: %s: a number from %lld to %lld is needed\n", text, low, high);
    exit(2);
}

uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void expire(int signal) {
    (void)signal;
    _exit(0);
}

void bound(int seconds) {
    signal(SIGALRM, expire);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer)) fail("timer");
    struct itimerspec when = {.it_value = {.tv_sec = seconds}};
    if (timer_settime(timer, 0, &when, NULL)) fail("timer");
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        int (*run)(int, char **);
    } commands[] = {{"generate", generate}, {"flood", flood}, {"drain", drain}, {"echo", echo}, {"ping", ping}, {"spin", spin}};
    for (size_t i = 0; count > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(arguments[1], commands[i].name) == 0) return commands[i].run(count - 1, arguments + 1);
    fprintf(stderr, "usage: flinch-load generate|flood|drain|echo|ping|spin --help\n");
    return 2;
}
