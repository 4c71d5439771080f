// One direction of a relay: what one connection receives goes out on another without passing through JS.
//
// Linux: by splice through a pipe, which is held only while bytes stand in it. Elsewhere, where the kernel refuses, and
// where there is no pipe to be had: received into the engine's scratch memory and sent from there; what the kernel does
// not take then goes into the target's write queue.
//
//   taking --(target full)--> waiting for room --(room)--> taking
//      \--(limit, end or error of the source, error of the target)--> over; JS is told, and stops the splice
//
// What JS has written to the target goes first, and so does what it writes in the batch that tells it of a drain: what
// a program writes in one go stays together.
#pragma once

#include "pipe_pool.h"
#include "sink.h"

namespace nearwire {

class Connection;
class Engine;

class Splice final : public Sink {
 public:
  // Bytes taken per wake-up, so that a busy relay does not starve the loop.
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
  // Bytes under way go into its queue: it is about to end.
  void hand_over();
  // It is closing, or takes no more bytes.
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
  // The kernel has not refused it yet.
  bool splices_ = true;
  // The target is full, or JS's bytes go first.
  bool waits_ = false;
  bool over_ = false;
};

}  // namespace nearwire
