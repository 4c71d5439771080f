// An adaptive spin: after a turn with completions the event loop polls without blocking for some more microseconds,
// because the next completion may be on its way, and waking up from a sleep costs more than that. Off by default.
//
//   asleep --completions--> spinning --completions--> spinning (a hit)
//      ^                        \--the time is over--> asleep   (a miss)
//      \--completions, as long as a rest lasts--/
//
// Misses in a row lead to a rest: a thread whose peers take longer than the spin wastes almost no CPU.
#pragma once

#include <cstdint>

#include "loop.h"

namespace nearwire {

struct SpinCounters {
  uint64_t spins = 0;
  // Ended by completions.
  uint64_t hits = 0;
  // Ended by the clock.
  uint64_t misses = 0;
  // Polls of the event loop that found nothing and did not block.
  uint64_t polls = 0;
};

class Spin {
 public:
  int open(Loop& loop);
  void close();

  // 0 turns it off.
  void set(uint32_t microseconds);
  // Call after each poll phase, and after the turn that it led to.
  void after_poll(bool had_completions);
  const SpinCounters& counters() const { return counters_; }

 private:
  void begin();
  void end();

  LoopHandle<uv_idle_t> idle_;
  uint64_t nanos_ = 0;
  uint64_t until_ = 0;
  uint32_t misses_in_a_row_ = 0;
  // The remaining turns with completions after which it does not spin.
  uint32_t rest_ = 0;
  uint32_t next_rest_ = 0;
  bool spinning_ = false;
  SpinCounters counters_;
};

}  // namespace nearwire
