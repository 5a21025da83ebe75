/* Faults of the system, injected into a program by LD_PRELOAD; each is chosen by an environment variable.
     FAULT_READ=TEXT:N      reads of files with TEXT in their path fail with EIO, from the Nth on
     FAULT_MEMORY=BYTES:N   the first N aligned allocations of more bytes fail, as libtorch and ONNX Runtime make them
     FAULT_CLOCK=S:SECONDS  the clock of the day jumps by SECONDS when the process is S seconds old */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int fails_to_read(int file)
{
    static atomic_int reads;
    const char *fault = getenv("FAULT_READ");
    const char *number = fault ? strrchr(fault, ':') : NULL;
    if (!number) return 0;
    char link[64], path[4096], text[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    snprintf(text, sizeof text, "%.*s", (int)(number - fault), fault);
    if (!strstr(path, text) || atomic_fetch_add(&reads, 1) + 1 < atoi(number + 1)) return 0;
    errno = EIO;
    return 1;
}

static int is_too_large(size_t size)
{
    static atomic_int failed;
    const char *most = getenv("FAULT_MEMORY");
    const char *times = most ? strchr(most, ':') : NULL;
    return times && size > strtoull(most, NULL, 10) && atomic_fetch_add(&failed, 1) < atoi(times + 1);
}

ssize_t read(int file, void *buffer, size_t count)
{
    static ssize_t (*next)(int, void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "read");
    return fails_to_read(file) ? -1 : next(file, buffer, count);
}

ssize_t pread(int file, void *buffer, size_t count, off_t offset)
{
    static ssize_t (*next)(int, void *, size_t, off_t);
    if (!next) next = dlsym(RTLD_NEXT, "pread");
    return fails_to_read(file) ? -1 : next(file, buffer, count, offset);
}

ssize_t pread64(int file, void *buffer, size_t count, off64_t offset)
{
    static ssize_t (*next)(int, void *, size_t, off64_t);
    if (!next) next = dlsym(RTLD_NEXT, "pread64");
    return fails_to_read(file) ? -1 : next(file, buffer, count, offset);
}

size_t fread(void *buffer, size_t size, size_t count, FILE *file)
{
    static size_t (*next)(void *, size_t, size_t, FILE *);
    if (!next) next = dlsym(RTLD_NEXT, "fread");
    return fails_to_read(fileno(file)) ? 0 : next(buffer, size, count, file);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    static int (*next)(void **, size_t, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "posix_memalign");
    return is_too_large(size) ? ENOMEM : next(memory, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    static void *(*next)(size_t, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "aligned_alloc");
    if (!is_too_large(size)) return next(alignment, size);
    errno = ENOMEM;
    return NULL;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*next)(clockid_t, struct timespec *);
    static struct timespec start;
    if (!next) next = dlsym(RTLD_NEXT, "clock_gettime");
    int result = next(clock, now);
    const char *jump = getenv("FAULT_CLOCK");
    const char *seconds = jump ? strchr(jump, ':') : NULL;
    if (!seconds || result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
    struct timespec age;
    next(CLOCK_MONOTONIC, &age);
    if (start.tv_sec == 0) start = age;
    if (age.tv_sec - start.tv_sec >= atoi(jump)) now->tv_sec += atol(seconds + 1);
    return 0;
}
