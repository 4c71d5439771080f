// One turn of the event loop as JavaScript sees it: completions are gathered during the poll phase, and handed over in
// one call after it.
//
// prepare (before the loop blocks): completions posted outside the poll phase come first in the new batch.
// poll: connections and listeners push completions.
// check (after the poll phase): one call into JavaScript, then the next turn begins.
//
// A listener in JavaScript may run the event loop itself. Such a nested turn pushes its completions after those of the
// outer one, and JavaScript continues in the nested turn where it was: each completion is dispatched once, in order.
// Work that belongs to the end of a turn is done at the end of the outermost.
#pragma once

#include <cstdint>
#include <vector>

#include "loop.h"
#include "spin.h"

namespace nearwire {

// Same names and order as Completion in src/binding/words.ts.
enum class Event : int32_t {
  kLent = 0,
  kInbox = 1,
  kEnd = 2,
  kDrain = 3,
  kConnect = 4,
  kReadError = 5,
  kWriteError = 6,
  kAccept = 7,
  kAcceptError = 8,
  kShutdown = 9,
  kInto = 10,
  kTaken = 11,
  kDropped = 12,
  kBlock = 13,
};

struct Completion {
  int32_t id;
  Event event;
  int32_t a;
  int32_t b;
};

class Turn {
 public:
  // The maximum of completions in a batch; what does not fit waits in the kernel. Usually more than the connections
  // that have an event at once: libuv queries the kernel again and again for events that are left pending (with 1,024
  // here, 4,096 busy connections cost seven times the CPU per message).
  static constexpr size_t kCapacity = 16 * 1024;
  // No single source reports more than this many without checking for room first.
  static constexpr size_t kReserve = 4;

  // The id of a completion that has been withdrawn.
  static constexpr int32_t kNobody = -1;

  class Phases {
   public:
    virtual void before_poll() = 0;
    // Hands `count` completions to JavaScript.
    virtual void deliver(size_t count) = 0;
    virtual void after_turn() = 0;
    virtual void after_nested_turn() = 0;
    // See `call_when_closing`.
    virtual void closing() = 0;

   protected:
    ~Phases() = default;
  };

  int open(Loop& loop, Phases* phases);
  void close();

  Completion* memory() { return completions_; }
  void assign(Completion* memory) { completions_ = memory; }

  // Whether there is room for another kReserve completions, and nothing older must go first.
  bool has_room() const { return count_ + kReserve <= kCapacity && posted_.empty(); }
  // During the poll phase, and only with room.
  void push(const Completion& completion);
  // At any time. It comes in the next batch, and the event loop does not block before that.
  void post(const Completion& completion);
  // In this batch if it is still being gathered, otherwise in the next.
  void report(const Completion& completion);
  // Calls JavaScript at the end of this turn even if nothing happened, because there is something to hand over.
  void demand() { demanded_ = true; }
  // Drops completions posted for a source that is closed.
  void withdraw(int32_t id);
  // Whether such a completion is in the batch or waits for the next.
  bool holds(int32_t id, Event event) const;
  // Takes the completions of a connection's last `bytes` out of the batch, oldest first.
  std::vector<Completion> take_last_reads(int32_t id, uint64_t bytes);
  // Takes connections that a listener has accepted, and JavaScript has not taken, out of the batch: returns their ids.
  std::vector<int32_t> take_accepted(int32_t listener);
  // Makes the event loop run another iteration without blocking, whatever it has to do.
  void wake();
  // Calls `Phases::closing` once, in the event loop's closing phase, where libuv reports closed handles.
  int call_when_closing();
  Spin& spin() { return spin_; }
  const Spin& spin() const { return spin_; }

  uint64_t number() const { return number_; }
  // Between the start of the poll phase and the end of the turn: work left for its end will be done.
  bool in_progress() const { return in_progress_; }

 private:
  void prepare();
  void check();

  Loop* loop_ = nullptr;
  Phases* phases_ = nullptr;
  LoopHandle<uv_prepare_t> prepare_;
  LoopHandle<uv_check_t> check_;
  LoopHandle<uv_idle_t> idle_;
  Spin spin_;
  Completion* completions_ = nullptr;
  size_t count_ = 0;
  std::vector<Completion> posted_;
  uint64_t number_ = 0;
  // Deliveries in progress, each nested in the previous one.
  unsigned delivering_ = 0;
  bool in_progress_ = false;
  bool polling_ = false;
  bool demanded_ = false;
  bool awake_ = false;
};

}  // namespace nearwire
