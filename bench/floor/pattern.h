// The contents of messages: one long stream of bytes whose period divides no message size, so that a lost, duplicated
// or misplaced piece is detected. A message is a slice of the stream at its own position: nothing is filled in while
// measuring.
#ifndef FLOOR_PATTERN_H
#define FLOOR_PATTERN_H

#include <stddef.h>
#include <stdint.h>

// Prime, and small enough that the source of short messages stays in the first-level cache.
enum { PATTERN_PERIOD = 4093 };

// Room for slices of up to `longest` bytes from any position.
char* pattern_create(size_t longest);

// The bytes at `position` of the stream.
static inline const char* pattern_at(const char* pattern, uint64_t position) {
  return pattern + position % PATTERN_PERIOD;
}

#endif
