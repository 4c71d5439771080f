// One direction of a relay: sends what one connection receives on another, without passing it through JavaScript.
//
// On Linux, by splice through a pipe, which is held only while bytes are in it. Elsewhere, if the kernel refuses, or if
// no pipe is available: received into the engine's scratch memory and sent from there; what the kernel does not take
// then goes into the target's write queue.
//
//   taking --(target full)--> waiting for room --(room)--> taking
//      \--(limit, end or error of the source, error of the target)--> over; JavaScript is told, and stops the splice
//
// Bytes that JavaScript has written to the target go first, including those written in the batch that reports a drain:
// what a program writes at once stays together.
#pragma once

#include "pipe_pool.h"
#include "sink.h"

namespace nearwire {

class Connection;
class Engine;

class Splice final : public Sink {
 public:
  // Bytes taken per wake-up, so that a busy relay does not starve the event loop.
  static constexpr uint64_t kBytesPerTurn = 1024 * 1024;

  Splice(Engine* engine, Connection* source, Connection* target, uint64_t limit);
  ~Splice() override;

  void run() override;
  bool wants_bytes() const override { return !over_ && !waits_ && held_ == 0; }
  void stop() override;
  uint64_t arrived() const override { return moved_ - held_; }

  // --- called by the target ---
  bool wants_room() const { return !over_ && waits_; }
  void on_room();
  // Moves bytes on their way into the target's queue: the target is about to end.
  void hand_over();
  // The target is closing, or takes no more bytes.
  void lose_target();

 private:
  bool fill();
  ssize_t take(size_t most);
  ssize_t copy(size_t most);
  bool drain();
  void note_taken(ssize_t length, bool into_pipe);
  void rescue();
  void release_pipe();

  Engine* const engine_;
  Connection* const source_;
  // nullptr once it is closed.
  Connection* target_;
  Pipe pipe_;
  // Bytes in the pipe.
  size_t held_ = 0;
  // Whether the kernel supports it, as far as known.
  bool splices_ = true;
  // The target is full, or JavaScript's bytes go first.
  bool waits_ = false;
  bool over_ = false;
};

}  // namespace nearwire
