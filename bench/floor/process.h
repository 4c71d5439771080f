// Of the process itself: failure, memory, clock and CPU.
//
// Failure is one line on stderr, then the end. The floor repairs nothing; a benchmark that limps measures nothing.
#ifndef FLOOR_PROCESS_H
#define FLOOR_PROCESS_H

#include <stddef.h>
#include <stdint.h>

enum exit_code { EXIT_FAILED = 1, EXIT_USAGE = 2 };

// "floor: WHAT: reason of the errno", exit 1.
_Noreturn void die(const char* what, int error);

// "floor: " and the formatted text, exit 1.
_Noreturn void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// The same for a wrong command line, exit 2.
_Noreturn void usage(const char* format, ...) __attribute__((format(printf, 1, 2)));

// calloc and realloc that do not come back without memory.
void* allocate(size_t count, size_t size);
void* enlarge(void* memory, size_t size);

// Monotonic clock in ns.
int64_t clock_ns(void);

// User + system time of all threads since the start, in us, and the kernel's part of it.
int64_t process_cpu_us(void);
int64_t process_system_us(void);

#endif
