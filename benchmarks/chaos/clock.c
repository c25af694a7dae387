/* A library to preload into a process, which shifts the process's wall clock but not its monotonic clock.
 *
 * CHAOS_CLOCK names a file that contains one double, the number of seconds to shift by. The file is mapped into memory,
 * so a change to it takes effect immediately.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile double *shift;
static int (*really)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    really = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *name = getenv("CHAOS_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof(double), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        shift = mapped;
}

int clock_gettime(clockid_t which, struct timespec *told) {
    if (!really)
        begin();
    int status = really(which, told);
    if (status == 0 && shift && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        double now = (double)told->tv_nsec / 1e9 + *shift, whole = floor(now);
        told->tv_sec += (time_t)whole;
        told->tv_nsec = (long)((now - whole) * 1e9);
    }
    return status;
}

int gettimeofday(struct timeval *told, void *zone) {
    (void)zone;
    struct timespec now;
    int status = clock_gettime(CLOCK_REALTIME, &now);
    told->tv_sec = now.tv_sec;
    told->tv_usec = now.tv_nsec / 1000;
    return status;
}

time_t time(time_t *told) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (told)
        *told = now.tv_sec;
    return now.tv_sec;
}
