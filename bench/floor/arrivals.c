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

// From one arrival of a Poisson process to the next.
static double gap(struct arrivals* arrivals) { return -log(uniform(&arrivals->random)) * arrivals->interval; }

void arrivals_open(struct arrivals* arrivals, const struct settings* settings) {
  arrivals->kind = settings->arrival;
  arrivals->interval = settings->rate > 0 ? 1e9 / settings->rate : 0;
  arrivals->burst = settings->arrival == ARRIVAL_BURST ? settings->connections : 1;
  arrivals->seed = settings->seed;
}

void arrivals_begin(struct arrivals* arrivals, int64_t now) {
  arrivals->begun = now;
  arrivals->taken = 0;
  arrivals->armed_for = 0;
  arrivals->random = arrivals->seed;
  arrivals->next = arrivals->kind == ARRIVAL_POISSON ? gap(arrivals) : 0;
}

int64_t arrivals_due(const struct arrivals* arrivals) { return arrivals->begun + (int64_t)arrivals->next; }

void arrivals_take(struct arrivals* arrivals) {
  arrivals->taken++;
  if (arrivals->kind == ARRIVAL_POISSON) {
    arrivals->next += gap(arrivals);
  } else {
    uint64_t bursts = arrivals->taken / arrivals->burst;
    arrivals->next = (double)(bursts * arrivals->burst) * arrivals->interval;
  }
}

void arrivals_arm(struct arrivals* arrivals, int queue, struct timer* timer, int64_t now) {
  if (arrivals->armed_for == arrivals->taken + 1) return;
  arrivals->armed_for = arrivals->taken + 1;
  timer_arm(queue, timer, arrivals_due(arrivals) - now);
}

void arrivals_fired(struct arrivals* arrivals) { arrivals->armed_for = 0; }
