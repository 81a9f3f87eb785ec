// spin: keeps cores from sleeping without taking time from anyone.
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: flinch-load spin --cores LIST --seconds N\n"
    "Turns one loop of priority SCHED_IDLE on each core of LIST (0,1) for N seconds. An idle virtual core\n"
    "is halted, and waking it goes through the hypervisor; with the loop it never is.\n";

static void *turn(void *core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((int)(intptr_t)core, &set);
    errno = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (errno) fail("pin to core");
    struct sched_param none = {0};
    errno = pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
    if (errno) fail("SCHED_IDLE");
    for (;;) __asm__ volatile("" ::: "memory");
}

int spin(int count, char **arguments) {
    static const struct option options[] = {
        {"cores", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    char *cores = NULL;
    int seconds = 0;
    int option;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        if (option == 'c') cores = optarg;
        else if (option == 's') seconds = (int)number(optarg, 1, 60);
        else return fputs(usage, stderr), 2;
    }
    if (!cores || seconds == 0) return fputs(usage, stderr), 2;
    bound(seconds);
    for (char *core = strtok(cores, ","); core; core = strtok(NULL, ",")) {
        pthread_t thread;
        errno = pthread_create(&thread, NULL, turn, (void *)(intptr_t)number(core, 0, CPU_SETSIZE - 1));
        if (errno) fail("thread");
    }
    printf("ready\n");
    fflush(stdout);
    for (;;) pause();
}
