// The schedule of an open loop: when its requests are due, whatever became of those before them.
#ifndef FLOOR_ARRIVALS_H
#define FLOOR_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

#include "events.h"
#include "settings.h"

struct arrivals {
  enum arrival kind;
  double interval;     // ns between two requests, on average
  size_t burst;        // requests that are due at once
  uint64_t seed;       // the same one, the same schedule
  int64_t begun;       // ns, when the stretch began
  double next;         // ns from there to the next request
  uint64_t taken;      // requests before it
  uint64_t armed_for;  // the request that the timer waits for, plus 1
  uint64_t random;
};

void arrivals_open(struct arrivals* arrivals, const struct settings* settings);

// A stretch begins.
void arrivals_begin(struct arrivals* arrivals, int64_t now);

// When the next request is due.
int64_t arrivals_due(const struct arrivals* arrivals);

// It has begun, or has been given up: what was the one after it is the next one.
void arrivals_take(struct arrivals* arrivals);

// Has the timer fire when the next request is due, if it is not set for that already.
void arrivals_arm(struct arrivals* arrivals, int queue, struct timer* timer, int64_t now);

// The timer has fired.
void arrivals_fired(struct arrivals* arrivals);

#endif
