// Of the process itself: memory, clock, CPU, and the orchestrator's end, which is lines on stdin and JSON lines on
// stdout.
//
// Whatever fails ends the program with a line on stderr (err.h). The floor repairs nothing; a benchmark that limps
// measures nothing.
#ifndef FLOOR_PROCESS_H
#define FLOOR_PROCESS_H

#include <stddef.h>
#include <stdint.h>

// calloc and realloc that do not come back without memory.
void* allocate(size_t size);
void* enlarge(void* memory, size_t size);

// Monotonic clock in ns.
int64_t clock_ns(void);

// Time of all threads since the start, in us.
struct cpu {
  int64_t user;
  int64_t system;
};

struct cpu process_cpu(void);

// What a client is told to do next.
enum word { WORD_NONE, WORD_GO, WORD_WARM };

// "cpu" and "memory" are answered from here on, whenever the loop turns, and the end of stdin ends the program, so that
// no process outlives the one that started it.
void control_open(void);

// Turns the loop until a word has come.
enum word control_wait(void);

// One line on stdout, at once.
void control_say(const char* format, ...) __attribute__((format(printf, 1, 2)));

#endif
