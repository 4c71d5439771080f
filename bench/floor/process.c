#include "process.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "report.h"

int64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

static struct rusage used(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) < 0) die("getrusage", errno);
  return usage;
}

int64_t process_cpu_us(void) {
  struct rusage usage = used();
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

int64_t process_system_us(void) { return microseconds(used().ru_stime); }
