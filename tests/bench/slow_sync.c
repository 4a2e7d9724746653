/* Preloaded into a program: each sync takes SLOW_SYNC_US longer, as on a card behind no cache.
 *
 *     gcc -O2 -Wall -shared -fPIC -o slow_sync.so slow_sync.c -ldl
 *
 * The real call is made first, so nothing is less durable; only the answer comes later. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

typedef int (*Sync)(int);

static int slowly(const char *name, int handle) {
    Sync real = (Sync)dlsym(RTLD_NEXT, name);
    int result = real(handle), kept = errno;
    const char *asked = getenv("SLOW_SYNC_US");
    long us = asked ? atol(asked) : 0;
    struct timespec left = {us / 1000000, us % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0) {}
    errno = kept;
    return result;
}

int fsync(int handle) { return slowly("fsync", handle); }
int fdatasync(int handle) { return slowly("fdatasync", handle); }
