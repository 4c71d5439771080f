// Bytes that are kept until their turn comes.
#ifndef FLOOR_KEPT_H
#define FLOOR_KEPT_H

#include <stddef.h>

struct kept {
  char* data;  // NULL: none
  size_t length;
};

void kept_append(struct kept* kept, const char* data, size_t length);

// Leaves out the first bytes.
void kept_skip(struct kept* kept, size_t length);

void kept_drop(struct kept* kept);

#endif
