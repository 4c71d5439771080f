#include "process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

_Noreturn static void end(enum exit_code code, const char* format, va_list arguments) {
  fputs("floor: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(code);
}

void die(const char* what, int error) { fail("%s: %s", what, strerror(error)); }

void fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end(EXIT_FAILED, format, arguments);
}

void usage(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end(EXIT_USAGE, format, arguments);
}

void* allocate(size_t count, size_t size) {
  void* memory = calloc(count, size);
  if (memory == NULL) fail("out of memory: %zu x %zu bytes", count, size);
  return memory;
}

void* enlarge(void* memory, size_t size) {
  void* larger = realloc(memory, size);
  if (larger == NULL) fail("out of memory: %zu bytes", size);
  return larger;
}

int64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

static struct rusage used(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

int64_t process_cpu_us(void) {
  struct rusage usage = used();
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

int64_t process_system_us(void) { return microseconds(used().ru_stime); }
