/* Preloaded into a process under test: notes every change it makes below $IOLOG_ROOT in $IOLOG_FILE, in order, and can
 * make the n-th of them fail ($IOLOG_FAIL = "n errno"; from the n-th on until $IOLOG_HEAL more have failed).
 *
 * A note: one byte kind, u32 length of the path, u64 offset, u64 length, path, data (W only). Kinds: C file created,
 * W written, T cut to a length, F file synced, D folder synced, U unlinked, R renamed (both paths, a zero between),
 * A acknowledged (the offset is the number the process gave to iolog_ack).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 4096
#define NEXT(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *paths[FILES];
static const char *root;
static int out = -1, is_ready;
static long fail_at, fail_errno, fail_times, calls;

static void ready(void) {
    if (is_ready) return;
    is_ready = 1;
    root = getenv("IOLOG_ROOT");
    const char *file = getenv("IOLOG_FILE"), *fail = getenv("IOLOG_FAIL"), *heal = getenv("IOLOG_HEAL");
    if (root && file) {
        int fd = NEXT(int, open, const char *, int, ...)(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
        out = fcntl(fd, F_DUPFD_CLOEXEC, 900);
        NEXT(int, close, int)(fd);
    }
    if (fail) sscanf(fail, "%ld %ld", &fail_at, &fail_errno);
    fail_times = heal ? atol(heal) : 1;
}

static int ours(const char *path) { return root && path && !strncmp(path, root, strlen(root)); }
static int watched(int fd) { return fd >= 0 && fd < FILES && paths[fd]; }

static int fails(void) {
    pthread_mutex_lock(&lock);
    long now = ++calls;
    pthread_mutex_unlock(&lock);
    if (!fail_at || now < fail_at || now >= fail_at + fail_times) return 0;
    errno = (int)fail_errno;
    return 1;
}

static void note(char kind, const char *path, uint32_t length, uint64_t at, uint64_t size, const void *data) {
    if (out < 0) return;
    char head[21];
    head[0] = kind;
    memcpy(head + 1, &length, 4);
    memcpy(head + 5, &at, 8);
    memcpy(head + 13, &size, 8);
    ssize_t (*put)(int, const void *, size_t) = NEXT(ssize_t, write, int, const void *, size_t);
    pthread_mutex_lock(&lock);
    if (put(out, head, sizeof head) < 0 || put(out, path, length) < 0 || (data && put(out, data, size) < 0)) abort();
    pthread_mutex_unlock(&lock);
}

static int opened(int fd, const char *path, int flags, int was_there) {
    if (fd < 0 || fd >= FILES || !ours(path)) return fd;
    free(paths[fd]);
    paths[fd] = strdup(path);
    if ((flags & O_CREAT) && !was_there) note('C', path, strlen(path), 0, 0, NULL);
    else if (flags & O_TRUNC) note('T', path, strlen(path), 0, 0, NULL);
    return fd;
}

#define OPEN(name)                                                            \
    int name(const char *path, int flags, ...) {                              \
        ready();                                                              \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;             \
        va_end(rest);                                                         \
        int was_there = ours(path) && access(path, F_OK) == 0;                \
        int fd = NEXT(int, name, const char *, int, ...)(path, flags, mode);  \
        return opened(fd, path, flags, was_there);                            \
    }
OPEN(open)
OPEN(open64)

int openat(int folder, const char *path, int flags, ...) {
    ready();
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    int was_there = ours(path) && access(path, F_OK) == 0;
    return opened(NEXT(int, openat, int, const char *, int, ...)(folder, path, flags, mode), path, flags, was_there);
}

#define PWRITE(name, offset_t)                                                                     \
    ssize_t name(int fd, const void *data, size_t size, offset_t at) {                             \
        ready();                                                                                   \
        if (watched(fd) && fails()) return -1;                                                     \
        ssize_t done = NEXT(ssize_t, name, int, const void *, size_t, offset_t)(fd, data, size, at); \
        if (done > 0 && watched(fd)) note('W', paths[fd], strlen(paths[fd]), at, done, data);      \
        return done;                                                                               \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
    ready();
    if (!watched(fd)) return NEXT(ssize_t, write, int, const void *, size_t)(fd, data, size);
    if (fails()) return -1;
    off64_t at = lseek64(fd, 0, SEEK_CUR);
    ssize_t done = NEXT(ssize_t, write, int, const void *, size_t)(fd, data, size);
    if (done > 0) note('W', paths[fd], strlen(paths[fd]), at, done, data);
    return done;
}

#define TRUNCATE(name, offset_t)                                                          \
    int name(int fd, offset_t size) {                                                     \
        ready();                                                                          \
        int failed = NEXT(int, name, int, offset_t)(fd, size);                            \
        if (!failed && watched(fd)) note('T', paths[fd], strlen(paths[fd]), 0, size, NULL); \
        return failed;                                                                    \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                                                        \
    int name(int fd) {                                                                                    \
        ready();                                                                                          \
        if (watched(fd) && fails()) return -1;                                                            \
        int failed = NEXT(int, name, int)(fd);                                                            \
        struct stat what;                                                                                 \
        if (!failed && watched(fd) && !fstat(fd, &what))                                                  \
            note(S_ISDIR(what.st_mode) ? 'D' : 'F', paths[fd], strlen(paths[fd]), 0, 0, NULL);            \
        return failed;                                                                                    \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    ready();
    int failed = NEXT(int, unlink, const char *)(path);
    if (!failed && ours(path)) note('U', path, strlen(path), 0, 0, NULL);
    return failed;
}

int rename(const char *from, const char *to) {
    ready();
    int failed = NEXT(int, rename, const char *, const char *)(from, to);
    if (!failed && (ours(from) || ours(to))) {
        char both[2 * PATH_MAX];
        int length = snprintf(both, sizeof both, "%s%c%s", from, 0, to);
        note('R', both, length, 0, 0, NULL);
    }
    return failed;
}

int close(int fd) {
    ready();
    if (watched(fd)) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    return NEXT(int, close, int)(fd);
}

void iolog_ack(uint64_t number) { ready(); note('A', "", 0, number, 0, NULL); }
