// The schedule of an open loop: when its requests are due, whatever became of those before them.
#ifndef FLOOR_ARRIVALS_H
#define FLOOR_ARRIVALS_H

#include <stdint.h>

#include "settings.h"

struct arrivals {
  int64_t begun;   // ns, when the stretch began
  double next;     // ns from there to the next request
  uint64_t taken;  // requests before it
  uint64_t random;
};

// A stretch begins. The same settings, the same schedule.
void arrivals_begin(struct arrivals* arrivals, const struct settings* settings, int64_t now);

// When the next request is due.
int64_t arrivals_due(const struct arrivals* arrivals);

// It has begun, or has been given up: what was the one after it is the next one.
void arrivals_take(struct arrivals* arrivals, const struct settings* settings);

#endif
