// The receiving side of a connection: reads from the socket into memory that JavaScript sees, or into a sink instead
// (sink.h).
//
//   closed --start()--> waiting --connected()--> open --(FIN or an error is reported)--> ended
//     any --reset()--> closed
//
// While open, it reads if reading is on. A sink takes the bytes in either case.
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
  // Of the reads, those that returned bytes, and those that found nothing.
  uint64_t messages = 0;
  uint64_t eagains = 0;
};

class ConnectionReader {
 public:
  ConnectionReader(Engine* engine, int32_t id) : engine_(engine), id_(id) {}

  // Begins with this socket. `owned`: the program keeps what is read (slab.h).
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

  // Reads what is available, within the limits of an iteration, or lets the sink take it. True: there are bytes for
  // JavaScript. The sink reports its reads with count().
  bool read();
  // Counts a read, including those of a sink, and reports the end to JavaScript. Returns true if it returned bytes.
  bool count(ssize_t length);

  bool is_reading() const { return reading_; }
  void set_reading(bool reading) { reading_ = reading; }
  // From now on reads go to this memory. Each stops the reading until it is set again: then JavaScript is done with it.
  void read_into(std::unique_ptr<HeldMemory> target) { target_ = std::move(target); }
  // JavaScript has been given its memory with bytes, and has not yet reported that it is done with it.
  bool awaits_target() const { return target_ && !reading_; }
  // Whether the loop must watch for readability.
  bool wants_bytes() const { return state_ == State::kOpen && (sink_ ? sink_->wants_bytes() : reading_); }

  // 0, -ENOTCONN: no more data will come, or -EBUSY: it has a sink.
  int start_sink(std::unique_ptr<Sink> sink);
  // Delivers what is received to JavaScript again. Returns the number of bytes that the sink took.
  uint64_t stop_sink();
  // Called when the connection closes.
  void drop_sink() {
    if (sink_) sink_->stop();
    sink_.reset();
  }
  Sink* sink() const { return sink_.get(); }

  const ReadCounters& counters() const { return counters_; }
  // When bytes last arrived: milliseconds of uv_now. 0: never.
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
  // The rest of a body tends to be short after a long first read, and the start of the next long after that short rest:
  // expecting each read to be like the one before would cost each body of 64 KiB a copy.
  bool expects_long_read() const { return after_long_ ? long_after_long_ : long_after_short_; }

  Engine* const engine_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<HeldMemory> target_;
  // The batch that reports the contents of target_, counted from 1.
  uint64_t target_turn_ = 0;
  // The loop's time, as node:net uses for its timeouts: reading the clock would cost as much as many a message.
  uint64_t received_at_ = 0;
  ReadCounters counters_;
  const int32_t id_;
  int fd_ = -1;
  State state_ = State::kClosed;
  bool owned_ = false;
  bool reading_ = false;
  // Whether the last read was long; whether the one after the last long read was; and the one after the last short one.
  bool after_long_ = false;
  bool long_after_long_ = false;
  bool long_after_short_ = false;
};

}  // namespace nearwire
