#include "histogram.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

// Values below 2^8 have a bucket each; above, the 7 bits after the leading one choose the bucket in the octave.
static unsigned bucket_of(uint64_t value) {
  if (value < (2u << HISTOGRAM_LINEAR_BITS)) return (unsigned)value;
  unsigned top = 63u - (unsigned)__builtin_clzll(value);
  if (top > HISTOGRAM_TOP_BIT) return HISTOGRAM_BUCKETS - 1;
  unsigned shift = top - HISTOGRAM_LINEAR_BITS;
  return (shift << HISTOGRAM_LINEAR_BITS) + (unsigned)(value >> shift);
}

static double middle_of(unsigned bucket) {
  if (bucket < (2u << HISTOGRAM_LINEAR_BITS)) return bucket;
  unsigned shift = (bucket >> HISTOGRAM_LINEAR_BITS) - 1;
  uint64_t lowest = (uint64_t)(bucket - (shift << HISTOGRAM_LINEAR_BITS)) << shift;
  return (double)lowest + (double)(UINT64_C(1) << shift) / 2;
}

void histogram_record(struct histogram* histogram, int64_t nanoseconds) {
  histogram->count++;
  if (nanoseconds > histogram->max) histogram->max = nanoseconds;
  histogram->buckets[bucket_of((uint64_t)nanoseconds)]++;
}

double histogram_quantile_us(const struct histogram* histogram, unsigned per_mille) {
  uint64_t rank = (histogram->count * per_mille + 999) / 1000;
  uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->buckets[bucket];
    if (seen >= rank && seen > 0) return fmin(middle_of(bucket), (double)histogram->max) / 1e3;
  }
  return 0;
}

void histogram_print(const struct histogram* histogram) {
  const char* comma = "";
  fputs("[", stdout);
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    if (histogram->buckets[bucket] == 0) continue;
    printf("%s[%u,%" PRIu64 "]", comma, bucket, histogram->buckets[bucket]);
    comma = ",";
  }
  fputs("]", stdout);
}
