// What a server's connections have done: the sums of those that are closed, and the living ones.
//
// A connection counts for itself while it lives, and adds its numbers here once, when it closes: what happens per
// message costs no more for being told of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nearwire {

class Connection;

struct TallyCounters {
  // Connections taken from the queue, and those of them that were closed at once for want of descriptors.
  uint64_t accepted = 0;
  uint64_t shed = 0;
  // The most that waited in the queue at a time, as far as accepting has seen it.
  uint64_t queue_high_water = 0;
  uint64_t turns = 0;
  uint64_t active = 0;
  uint64_t messages = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t reads = 0;
  uint64_t read_eagains = 0;
  uint64_t sends = 0;
  uint64_t partial_sends = 0;
  uint64_t send_eagains = 0;
  // Times that a connection waited for room in the kernel, and for how long in all.
  uint64_t waits = 0;
  uint64_t wait_nanos = 0;
};

class Tally {
 public:
  // Sizes of answers that had to wait, four classes to each power of two.
  static constexpr size_t kSizeClasses = 160;
  using Sizes = std::array<uint32_t, kSizeClasses>;

  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  // Something happened in this turn of the loop.
  void note_turn(uint64_t number) {
    if (number == last_turn_) return;
    last_turn_ = number;
    ++sums_.turns;
  }
  void note_accepted() { ++sums_.accepted; }
  void note_shed() {
    ++sums_.accepted;
    ++sums_.shed;
  }
  void note_queue(uint64_t depth) {
    if (depth > sums_.queue_high_water) sums_.queue_high_water = depth;
  }
  void note_answer(uint64_t bytes) { ++sizes_[size_class(bytes)]; }

  // Answers the place to give to leave().
  uint32_t join(Connection* connection);
  void leave(const Connection& connection, uint32_t place);

  // Living connections included.
  TallyCounters totals() const;
  // Of answers that are over, or of those that are under way as well.
  Sizes answers(bool under_way) const;
  const std::vector<Connection*>& living() const { return living_; }

 private:
  static size_t size_class(uint64_t bytes);

  TallyCounters sums_;
  Sizes sizes_{};
  std::vector<Connection*> living_;
  uint64_t last_turn_ = 0;
};

}  // namespace nearwire
