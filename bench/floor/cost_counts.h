// How the requests of a load of case cost ended, in one stretch.
#ifndef FLOOR_COST_COUNTS_H
#define FLOOR_COST_COUNTS_H

#include <stdint.h>

enum { COST_STATUSES = 1000, COST_ERRORS = 256 };

struct cost_counts {
  uint64_t begun;
  uint64_t in_time;  // answered well before the time of the stretch was up
  uint64_t statuses[COST_STATUSES];
  uint64_t connect_errors[COST_ERRORS];  // by errno
  uint64_t broken[COST_ERRORS];          // by errno; 0: the server closed before its answer was whole
  uint64_t malformed;                    // or of another length than is known to be right
  uint64_t unsent;                       // due, with no connection free for them until the time was up
  uint64_t unanswered;                   // given up
  uint64_t opened;                       // connections
};

void cost_counts_error(uint64_t* counts, int error);

// As further members of the result.
void cost_counts_print(const struct cost_counts* counts);

#endif
