// How the processes that accept from one listening socket spread its connections among themselves.
//
// They share a piece of memory in which each has a place, and tells how many connections it has. The kernel wakes all
// of them for a connection; one that has more than another leaves it in the queue for that one:
//
//   taking --(more than another)--> leaving it, the poll goes on --(a millisecond)--> looking away, a timer runs
//      ^------(no more than any other that comes for it)------/---------------------------/
//
// Nobody is ever told to take a connection, so that none is lost with a process, or waits in one. Whoever does not come
// for its connections is passed over until it looks at the queue again. Where connections are not kept, but end as fast
// as they come, all take what they can.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace nearwire {

// The memory, as one process has it mapped.
class Balance {
 public:
  // Processes that can have a place. Others take connections as they come.
  static constexpr uint32_t kPlaces = 64;

  // Each process writes to its own, but for `passed_over`.
  struct alignas(64) Place {
    // It takes connections.
    std::atomic<uint32_t> open;
    std::atomic<uint32_t> connections;
    std::atomic<uint32_t> pid;
    // Another has waited for it in vain; until it looks at the queue again.
    std::atomic<uint32_t> passed_over;
  };
  struct Memory {
    // Connections that have been taken in all.
    alignas(64) std::atomic<uint32_t> taken;
    // And that have ended since.
    std::atomic<uint32_t> ended;
    Place places[kPlaces];
  };
  static_assert(std::atomic<uint32_t>::is_always_lock_free, "processes share no lock");

  Balance() = default;
  ~Balance();
  Balance(const Balance&) = delete;
  Balance& operator=(const Balance&) = delete;

  // New memory. 0 or a negative errno.
  int open();
  // That of another process, out of what its pack() has made.
  int unpack(int socket);
  // A socket that holds the memory's descriptor, the caller's to close; or a negative errno.
  int pack() const;

  bool is_open() const { return memory_ != nullptr; }
  Memory& memory() const { return *memory_; }
  // Whoever had this place is gone.
  void vacate(uint32_t place);

 private:
  int map(int fd);

  Memory* memory_ = nullptr;
  int fd_ = -1;
};

// What a listener does about a connection in its queue, by its place in the memory.
class Seat {
 public:
  enum class Step : uint8_t { kTake, kLeave, kLookAway };

  Seat(std::shared_ptr<Balance> balance, uint32_t place);
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  // Whether it takes connections at all.
  void set_open(bool open) { own().open = open ? 1 : 0; }
  // A connection waits. `now` is in milliseconds.
  Step look(uint64_t now);
  // Whether another connection may be taken, after kTake.
  bool has_room() const { return unbound_ || is_next(); }
  void note_accepted();
  // Of those accepted, `handed` are known to the program, which has `open` connections.
  void count(uint32_t handed, uint32_t open);

 private:
  Balance::Place& own() const { return balance_->memory().places[place_]; }
  bool is_next() const;
  // Whether this one is to take a connection before the own process does.
  bool goes_first(const Balance::Place& other) const;
  void note_time(uint32_t now);
  void note_processor_times();
  void pass_over_absent();
  void publish() { own().connections = accepted_ - gone_; }

  std::shared_ptr<Balance> balance_;
  const uint32_t place_;
  uint32_t accepted_ = 0;
  uint32_t gone_ = 0;

  // It leaves connections to others; how long none has been taken; and what the others had used of the processor soon
  // after that began, or a negative errno.
  bool waiting_ = false;
  bool timed_ = false;
  uint32_t waited_ = 0;
  std::array<int64_t, Balance::kPlaces> processor_times_{};

  // At the last look.
  uint32_t last_look_ = 0;
  uint32_t last_taken_;
  uint32_t last_ended_;
  // How many connections may come and end before it is unbound, times kMillisPerPassing.
  int64_t patience_;
  // Takes what comes until it has patience again.
  bool unbound_ = false;
};

}  // namespace nearwire
