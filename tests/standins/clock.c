/* A wall clock that can be set for one tree of processes. Preloaded, it adds to the time of day as
 * many seconds as the first 8 bytes of the file SHIFT say, at each look. The monotonic clock and the
 * kernel's stamps on files stay as they are. LIBRARY, its own path, is given to each program that is
 * started, whatever environment that is to have.
 *
 * Debian 12's libfaketime does as much, but breaks clock_nanosleep, which is Python's sleep.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *shift;

__attribute__((constructor)) static void find(void) {
  int file = open(SHIFT, O_RDONLY | O_CLOEXEC);
  void *seen = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
  if (seen != MAP_FAILED) shift = seen;
  close(file);
}

int clock_gettime(clockid_t which, struct timespec *at) {
  int failed = (int)syscall(SYS_clock_gettime, which, at);
  int wall = which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE;
  if (!failed && wall && shift) at->tv_sec += *shift;
  return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  int failed = clock_gettime(CLOCK_REALTIME, &now);
  if (!failed) *at = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return failed;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}

/* Python calls it in a child that still has its parent's memory: nothing is allocated. */
int execve(const char *program, char *const argv[], char *const given[]) {
  int count = 0, loads = 0;
  for (; given[count]; count++) loads |= !strncmp(given[count], "LD_PRELOAD=", 11);
  char *more[count + 2];
  memcpy(more, given, count * sizeof *more);
  if (!loads) more[count++] = "LD_PRELOAD=" LIBRARY;
  more[count] = NULL;
  return (int)syscall(SYS_execve, program, argv, more);
}
