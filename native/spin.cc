#include "spin.h"

#include <algorithm>

#include "sys.h"

namespace nearwire {

namespace {

// Enough to distinguish a peer that has become slower from one that was late once.
constexpr uint32_t kMissesBeforeRest = 8;
// A rest is counted in turns, not in time: a thread that has nothing to do never wakes up to try again. Each rest is
// twice as long as the last while the single spin between them misses. The longest makes spins too rare to be
// noticeable (50 us in 1,024 turns), and is over in a tenth of a second if messages arrive every 100 us.
constexpr uint32_t kShortestRest = 16;
constexpr uint32_t kLongestRest = 1024;

}  // namespace

int Spin::open(Loop& loop) {
  const int error = idle_.open(loop, this, [&](uv_idle_t* handle) { return uv_idle_init(loop.uv(), handle); });
  // An active idle handle makes the event loop poll without blocking. It must not keep the loop alive: a process that
  // has nothing else to wait for must end at once.
  if (error == 0) uv_unref(reinterpret_cast<uv_handle_t*>(idle_.get()));
  return error;
}

void Spin::close() { idle_.close(); }

void Spin::set(uint32_t microseconds) {
  nanos_ = uint64_t{microseconds} * 1000;
  misses_in_a_row_ = 0;
  rest_ = 0;
  next_rest_ = kShortestRest;
  if (nanos_ == 0) end();
}

void Spin::after_poll(bool had_completions) {
  if (nanos_ == 0) return;
  if (had_completions) {
    if (spinning_) {
      ++counters_.hits;
      misses_in_a_row_ = 0;
      next_rest_ = kShortestRest;
    }
    if (rest_ == 0) {
      begin();
    } else {
      --rest_;
    }
    return;
  }
  if (!spinning_) return;
  ++counters_.polls;
  // The peer itself may be waiting for this core. A spin that does not get the core back in time has missed, whatever
  // has arrived.
  sys::yield_core();
  if (uv_hrtime() < until_) return;
  ++counters_.misses;
  end();
  if (++misses_in_a_row_ < kMissesBeforeRest) return;
  // The spin after the rest decides: after a miss, the next rest begins.
  misses_in_a_row_ = kMissesBeforeRest - 1;
  rest_ = next_rest_;
  next_rest_ = std::min(next_rest_ * 2, kLongestRest);
}

void Spin::begin() {
  ++counters_.spins;
  // Measured from the end of the turn: the time that JavaScript took says nothing about the peer.
  until_ = uv_hrtime() + nanos_;
  if (spinning_) return;
  spinning_ = true;
  uv_idle_start(idle_.get(), [](uv_idle_t*) {});
}

void Spin::end() {
  if (!spinning_) return;
  spinning_ = false;
  uv_idle_stop(idle_.get());
}

}  // namespace nearwire
