// How the processes that accept from one listening socket distribute its connections.
//
// They share a block of memory in which each has a place, and publishes how many connections it has. The kernel wakes
// all of them for a connection; a process that has more than another one leaves it in the queue for that one:
//
//   taking --(more than another)--> leaving it, the poll goes on --(a millisecond)--> looking away, a timer runs
//      ^------(no more than any other that accepts)-----------/---------------------------/
//
// No process is ever assigned a connection, so none is lost with a process, or waits in one. A process that does not
// accept its connections is skipped until it looks at the queue again. If connections are not kept, but end as fast as
// they arrive, all processes accept what they can.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace nearwire {

// The shared memory, as mapped into one process.
class Balance {
 public:
  // The number of processes that can have a place. Others accept without balancing.
  static constexpr uint32_t kPlaces = 64;

  // Each process writes only to its own place, except for `passed_over`.
  struct alignas(64) Place {
    // Whether it accepts connections.
    std::atomic<uint32_t> open;
    std::atomic<uint32_t> connections;
    std::atomic<uint32_t> pid;
    // Another process has waited for it in vain; reset when it looks at the queue again.
    std::atomic<uint32_t> passed_over;
  };
  struct Memory {
    // The total number of accepted connections.
    alignas(64) std::atomic<uint32_t> taken;
    // The total number of ended ones.
    std::atomic<uint32_t> ended;
    Place places[kPlaces];
  };
  static_assert(std::atomic<uint32_t>::is_always_lock_free, "processes share no lock");

  Balance() = default;
  ~Balance();
  Balance(const Balance&) = delete;
  Balance& operator=(const Balance&) = delete;

  // Makes new memory. 0 or a negative errno.
  int open();
  // Maps the memory of another process, from what its pack() has made.
  int unpack(int socket);
  // A socket that carries the memory's descriptor, and belongs to the caller; or a negative errno.
  int pack() const;

  bool is_open() const { return memory_ != nullptr; }
  Memory& memory() const { return *memory_; }
  // The process with this place is gone.
  void vacate(uint32_t place);

 private:
  int map(int fd);

  Memory* memory_ = nullptr;
  int fd_ = -1;
};

// Decides what a listener does about a connection in its queue, by its place in the memory.
class Seat {
 public:
  enum class Step : uint8_t { kTake, kLeave, kLookAway };

  Seat(std::shared_ptr<Balance> balance, uint32_t place);
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  // Whether it accepts connections at all.
  void set_open(bool open) { own().open = open ? 1 : 0; }
  // A connection is waiting. `now` is in milliseconds.
  Step look(uint64_t now);
  // Whether another connection may be taken, after kTake.
  bool has_room() const { return unbound_ || is_next(); }
  void note_accepted();
  // Of the accepted connections, `handed` have been given to the program, which has `open` connections now.
  void count(uint32_t handed, uint32_t open);

 private:
  Balance::Place& own() const { return balance_->memory().places[place_]; }
  bool is_next() const;
  // Whether this process should accept a connection before our own does.
  bool goes_first(const Balance::Place& other) const;
  void note_time(uint32_t now);
  void note_processor_times();
  void pass_over_absent();
  void publish() { own().connections = accepted_ - gone_; }

  std::shared_ptr<Balance> balance_;
  const uint32_t place_;
  uint32_t accepted_ = 0;
  uint32_t gone_ = 0;

  // Whether it is leaving connections to others; for how long none has been accepted; and the CPU that the others had
  // used shortly after that began, or a negative errno.
  bool waiting_ = false;
  bool timed_ = false;
  uint32_t waited_ = 0;
  std::array<int64_t, Balance::kPlaces> processor_times_{};

  // At the last look.
  uint32_t last_look_ = 0;
  uint32_t last_taken_;
  uint32_t last_ended_;
  // How many connections may arrive and end before it is unbound, times kMillisPerPassing.
  int64_t patience_;
  // Accepts freely until it has regained patience.
  bool unbound_ = false;
};

}  // namespace nearwire
