#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char* what, int error) { fail("%s: %s", what, strerror(error)); }

static void print(const char* format, va_list arguments) {
  fputs("floor: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

void fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(format, arguments);
  va_end(arguments);
  exit(EXIT_FAILED);
}

void usage(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(format, arguments);
  va_end(arguments);
  exit(EXIT_USAGE);
}

void* allocate(unsigned long count, unsigned long size) {
  void* memory = calloc(count, size);
  if (memory == NULL) fail("out of memory: %lu x %lu bytes", count, size);
  return memory;
}
