#include "arrivals.h"

#include <math.h>

// Above 0, up to 1: splitmix64.
static double uniform(uint64_t* state) {
  uint64_t mixed = (*state += UINT64_C(0x9e3779b97f4a7c15));
  mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
  mixed ^= mixed >> 31;
  return (double)((mixed >> 11) + 1) * 0x1p-53;
}

// The next one is due, in ns from the begin of the stretch: after a gap as of a Poisson process, or with its burst.
static double next_of(struct arrivals* arrivals, const struct settings* settings) {
  double interval = 1e9 / settings->rate;
  if (settings->arrival == ARRIVAL_POISSON) return arrivals->next - log(uniform(&arrivals->random)) * interval;
  uint64_t burst = settings->arrival == ARRIVAL_BURST ? settings->connections : 1;
  return (double)(arrivals->taken / burst * burst) * interval;
}

void arrivals_begin(struct arrivals* arrivals, const struct settings* settings, int64_t now) {
  *arrivals = (struct arrivals){.begun = now, .random = settings->seed};
  arrivals->next = next_of(arrivals, settings);
}

int64_t arrivals_due(const struct arrivals* arrivals) { return arrivals->begun + (int64_t)arrivals->next; }

void arrivals_take(struct arrivals* arrivals, const struct settings* settings) {
  arrivals->taken++;
  arrivals->next = next_of(arrivals, settings);
}
