// Latencies in log-linear buckets: 128 to each power of two, so a reported value is off by less than 0.4 %. The same as
// in bench/histogram.ts, which has what can be known from them.
#ifndef FLOOR_HISTOGRAM_H
#define FLOOR_HISTOGRAM_H

#include <stdint.h>

enum {
  HISTOGRAM_LINEAR_BITS = 7,
  HISTOGRAM_TOP_BIT = 36,  // 2^37 ns = 137 s, above the 100 s that must fit
  HISTOGRAM_BUCKETS = (HISTOGRAM_TOP_BIT - HISTOGRAM_LINEAR_BITS + 2) << HISTOGRAM_LINEAR_BITS,
};

struct histogram {
  uint64_t count;
  int64_t max;  // exact
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

// A value above the top bucket is counted in it; `max` is exact all the same.
void histogram_record(struct histogram* histogram, int64_t nanoseconds);

// As JSON, with the buckets that hold anything: {"count":...,"max":us,"steps":[[bucket, count], ...]}.
void histogram_print(const struct histogram* histogram);

#endif
