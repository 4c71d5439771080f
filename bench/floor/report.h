// Failure: one line on stderr, then the end. The floor repairs nothing; a benchmark that limps measures nothing.
#ifndef FLOOR_REPORT_H
#define FLOOR_REPORT_H

enum exit_code { EXIT_FAILED = 1, EXIT_USAGE = 2 };

// "floor: WHAT: reason of the errno", exit 1.
_Noreturn void die(const char* what, int error);

// "floor: " and the formatted text, exit 1.
_Noreturn void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// The same for a wrong command line, exit 2.
_Noreturn void usage(const char* format, ...) __attribute__((format(printf, 1, 2)));

// calloc that does not come back without memory.
void* allocate(unsigned long count, unsigned long size);

#endif
