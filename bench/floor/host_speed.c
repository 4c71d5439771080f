#include "host_speed.h"

#include <stdint.h>
#include <stdio.h>

#include "process.h"
#include "report.h"
#include "sys.h"

// Long enough for the clock, and short against what is measured between two looks.
static const int64_t LOOK_NS = 4 * 1000 * 1000;
static const int STEPS_A_BATCH = 1000;
// Where there are more, what one neighbour does to one of them weighs little.
enum { MOST_PROCESSORS = 8 };

// Integer multiplication and a store that has to be loaded again: what a neighbour on the same core slows down, in no
// need of memory, so that the caches of what is measured stay as they are.
static double steps_a_microsecond(void) {
  volatile uint64_t value = 1;
  int64_t begun = clock_ns();
  int64_t now = begun;
  int64_t steps = 0;
  while (now < begun + LOOK_NS) {
    for (int i = 0; i < STEPS_A_BATCH; i++) value = value * UINT64_C(6364136223846793005) + 1;
    steps += STEPS_A_BATCH;
    now = clock_ns();
  }
  return (double)steps * 1e3 / (double)(now - begun);
}

void host_speed_run(void) {
  int processors[MOST_PROCESSORS];
  int count = sys_processors(processors, MOST_PROCESSORS);
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sys_run_on(processors[i]);
      sum += steps_a_microsecond();
    }
    printf("{\"speed\":%.3f}\n", sum / count);
    if (fflush(stdout) != 0) fail("stdout is closed");
  }
}
