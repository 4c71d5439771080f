#include "kept.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

void kept_append(struct kept* kept, const char* data, size_t length) {
  char* joined = realloc(kept->data, kept->length + length);
  if (joined == NULL) fail("out of memory");
  memcpy(joined + kept->length, data, length);
  kept->data = joined;
  kept->length += length;
}

void kept_skip(struct kept* kept, size_t length) {
  kept->length -= length;
  memmove(kept->data, kept->data + length, kept->length);
}

void kept_drop(struct kept* kept) {
  free(kept->data);
  *kept = (struct kept){0};
}
