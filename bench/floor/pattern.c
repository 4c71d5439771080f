#include "pattern.h"

#include "process.h"

char* pattern_create(size_t longest) {
  size_t size = PATTERN_PERIOD + longest;
  unsigned char* pattern = allocate(size);
  // Neighboring bytes differ, and so do positions 256 apart.
  for (size_t i = 0; i < size; i++) {
    size_t position = i % PATTERN_PERIOD;
    pattern[i] = (unsigned char)(position * 31 + (position >> 8) * 7 + 5);
  }
  return (char*)pattern;
}
