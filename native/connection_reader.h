// What a connection receives: from the socket into memory that JS sees, or to a sink in place of that (sink.h).
//
//   closed --start()--> waiting --connected()--> open --(FIN or an error: JS is told)--> ended
//     any --reset()--> closed
//
// While it is open it reads if reading is on. A sink takes the bytes whether it is on or not.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "sink.h"
#include "slab.h"
#include "turn.h"

namespace nearwire {

class Engine;

struct ReadCounters {
  uint64_t bytes = 0;
  uint64_t reads = 0;
  // Of the reads, those that have brought bytes, and those that found nothing.
  uint64_t messages = 0;
  uint64_t eagains = 0;
};

class ConnectionReader {
 public:
  ConnectionReader(Engine* engine, int32_t id) : engine_(engine), id_(id) {}

  // Is to read from this socket; `owned`: what comes is for the program to keep (slab.h).
  void start(int fd, bool owned, bool reading) {
    fd_ = fd;
    state_ = State::kWaiting;
    owned_ = owned;
    reading_ = reading;
  }
  void connected() { state_ = State::kOpen; }
  void reset() {
    state_ = State::kClosed;
    fd_ = -1;
    target_.reset();
    target_turn_ = 0;
    after_long_ = long_after_long_ = long_after_short_ = false;
    received_at_ = 0;
    counters_ = {};
  }

  // Reads what is there, within the turn's bounds, or has the sink take it. True: bytes have come for JS. What the sink
  // takes is told by count().
  bool read();
  // Counts a read, also one that a sink has made, and tells JS of the end. True if it has brought bytes.
  bool count(ssize_t length);

  bool is_reading() const { return reading_; }
  void set_reading(bool reading) { reading_ = reading; }
  // Reads go to this memory from now on. Each stops the reading, until it is set again: JS is done with it.
  void read_into(std::unique_ptr<HeldMemory> target) { target_ = std::move(target); }
  // JS has been given its memory with bytes, and is still to say that it is done with it.
  bool awaits_target() const { return target_ && !reading_; }
  // Whether the loop is to say when there is something to read.
  bool wants_bytes() const { return state_ == State::kOpen && (sink_ ? sink_->wants_bytes() : reading_); }

  // 0, -ENOTCONN: nothing more will come, or -EBUSY: it has a sink.
  int start_sink(std::unique_ptr<Sink> sink);
  // Gives what is received to JS again. Answers the bytes that the sink took.
  uint64_t stop_sink();
  // The connection closes.
  void drop_sink() {
    if (sink_) sink_->stop();
    sink_.reset();
  }
  Sink* sink() const { return sink_.get(); }

  const ReadCounters& counters() const { return counters_; }
  // When bytes last came: milliseconds of uv_now. 0: none have.
  uint64_t received_at() const { return received_at_; }

 private:
  enum class State : uint8_t { kClosed, kWaiting, kOpen, kEnded };

  bool read_once();
  bool read_to(const iovec& room, Event event);
  bool read_to_block(int slot);
  bool read_into_target();
  bool note_received(ssize_t length);
  void note_no_bytes(ssize_t length);
  bool may_read() const;
  // The rest of a body is short again and again where its head was long, and the head of the next long where the rest
  // was short: to take each for its like would cost a body of 64 KiB a copy.
  bool expects_long_read() const { return after_long_ ? long_after_long_ : long_after_short_; }

  Engine* const engine_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<HeldMemory> target_;
  // The batch that tells of what target_ holds, counted from 1.
  uint64_t target_turn_ = 0;
  // The loop's time, as node:net has it for its timeouts: a look at the clock would cost as much as many a message.
  uint64_t received_at_ = 0;
  ReadCounters counters_;
  const int32_t id_;
  int fd_ = -1;
  State state_ = State::kClosed;
  bool owned_ = false;
  bool reading_ = false;
  // The last read was a long one; so was the one after the last that was, and the one after the last that was not.
  bool after_long_ = false;
  bool long_after_long_ = false;
  bool long_after_short_ = false;
};

}  // namespace nearwire
