// The counters of a server's connections: the sums of the closed ones, and the live ones.
//
// A live connection counts for itself, and adds its numbers here once, when it closes: per-message counting costs
// nothing more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nearwire {

class Connection;

struct TallyCounters {
  // Connections taken from the queue, and those of them that were closed at once because no descriptor was left.
  uint64_t accepted = 0;
  uint64_t shed = 0;
  // The longest queue that accepting has seen.
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
  // How often connections waited for room in the kernel, and for how long in total.
  uint64_t waits = 0;
  uint64_t wait_nanos = 0;
};

class Tally {
 public:
  // Sizes of responses that had to wait, four classes to each power of two.
  static constexpr size_t kSizeClasses = 160;
  using Sizes = std::array<uint32_t, kSizeClasses>;

  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  // Something happened in this event-loop iteration.
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

  // Returns the place to pass to leave().
  uint32_t join(Connection* connection);
  void leave(const Connection& connection, uint32_t place);

  // Includes live connections.
  TallyCounters totals() const;
  // Of finished responses, or also of those in progress.
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
