#include <inttypes.h>
#include <stdio.h>

#include "client.h"

// Values below 2^8 have a bucket each; above, the 7 bits after the leading one choose the bucket in the octave.
static unsigned bucket_of(uint64_t value) {
  if (value < (2u << HISTOGRAM_LINEAR_BITS)) return (unsigned)value;
  unsigned top = 63u - (unsigned)__builtin_clzll(value);
  if (top > HISTOGRAM_TOP_BIT) return HISTOGRAM_BUCKETS - 1;
  unsigned shift = top - HISTOGRAM_LINEAR_BITS;
  return (shift << HISTOGRAM_LINEAR_BITS) + (unsigned)(value >> shift);
}

void histogram_record(struct histogram* histogram, int64_t nanoseconds) {
  histogram->count++;
  if (nanoseconds > histogram->max) histogram->max = nanoseconds;
  histogram->buckets[bucket_of((uint64_t)nanoseconds)]++;
}

void histogram_print(const struct histogram* histogram) {
  const char* comma = "";
  printf("{\"count\":%" PRIu64 ",\"max\":%.3f,\"steps\":[", histogram->count, (double)histogram->max / 1e3);
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    if (histogram->buckets[bucket] == 0) continue;
    printf("%s[%u,%" PRIu64 "]", comma, bucket, histogram->buckets[bucket]);
    comma = ",";
  }
  fputs("]}", stdout);
}
