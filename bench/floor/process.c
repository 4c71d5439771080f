#include "process.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void* allocate(size_t size) {
  void* memory = calloc(1, size);
  if (memory == NULL) err(EXIT_FAILURE, "%zu bytes", size);
  return memory;
}

void* enlarge(void* memory, size_t size) {
  void* larger = realloc(memory, size);
  if (larger == NULL) err(EXIT_FAILURE, "%zu bytes", size);
  return larger;
}

int64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

struct cpu process_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (struct cpu){.user = microseconds(usage.ru_utime), .system = microseconds(usage.ru_stime)};
}

static enum word word;

void control_say(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stdout, format, arguments);
  va_end(arguments);
  fputc('\n', stdout);
  if (fflush(stdout) != 0) err(EXIT_FAILURE, "stdout");
}

static void obey(const char* line) {
  if (strcmp(line, "cpu") == 0) {
    struct cpu cpu = process_cpu();
    control_say("{\"cpu\":%" PRId64 "}", cpu.user + cpu.system);
  } else if (strcmp(line, "memory") == 0) {
    control_say("{\"memory\":%" PRId64 "}", sys_resident_bytes());
  } else if (strcmp(line, "go") == 0) {
    word = WORD_GO;
  } else if (strcmp(line, "warm") == 0) {
    word = WORD_WARM;
  } else {
    errx(EXIT_FAILURE, "unknown word on stdin: %s", line);
  }
}

// Lines arrive whole, as each is written by one call. stdin stays blocking, as the terminal may share it: one read
// after the loop has reported data does not block.
static void on_input(struct watch* watch, unsigned ready) {
  (void)ready;
  char lines[256];
  ptrdiff_t count = read(watch->fd, lines, sizeof lines - 1);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count < 0) err(EXIT_FAILURE, "stdin");
  if (count == 0) exit(EXIT_SUCCESS);
  lines[count] = '\0';
  for (char* line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) obey(line);
}

void control_open(void) {
  static struct watch input = {.fd = STDIN_FILENO, .on_ready = on_input};
  events_set(&input, READABLE);
}

enum word control_wait(void) {
  word = WORD_NONE;
  while (word == WORD_NONE) events_turn();
  return word;
}
