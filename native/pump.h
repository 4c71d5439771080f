// One direction of a relay: what one channel receives goes out on another without passing through JS.
//
// Linux: by splice through a pipe, which is held only while bytes stand in it. Elsewhere, where the kernel refuses, and
// where there is no pipe to be had: received into the engine's scratch memory and sent from there; what the kernel does
// not take then goes into the sink's write queue.
//
//   taking --(sink full)--> waiting for room --(room)--> taking
//      \--(limit, end or error of the source, error of the sink)--> over; JS is told, and stops the pump
//
// What JS has written to the sink goes first, and so does what it writes in the batch that tells it of a drain: what a
// program writes in one go stays together.
#pragma once

#include "intake.h"
#include "pipe_pool.h"

namespace nearwire {

class Channel;
class Engine;

class Pump final : public Intake {
 public:
  // Bytes taken per wake-up, so that a busy relay does not starve the loop.
  static constexpr uint64_t kBytesPerTurn = 1024 * 1024;

  Pump(Engine* engine, Channel* source, Channel* sink, uint64_t limit);
  ~Pump() override;

  void run() override;
  bool wants_bytes() const override { return !over_ && !waits_ && held_ == 0; }
  void stop() override;
  uint64_t arrived() const override { return moved_ - held_; }

  // --- called by the sink ---
  bool wants_room() const { return !over_ && waits_; }
  void on_room();
  // Bytes under way go into its queue: it is about to end.
  void hand_over();
  // It is closing, or takes no more bytes.
  void lose_sink();

 private:
  bool fill();
  ssize_t take(size_t most);
  ssize_t copy(size_t most);
  bool drain();
  void note_taken(ssize_t length, bool into_pipe);
  void rescue();
  void release_pipe();

  Engine* const engine_;
  Channel* const source_;
  // nullptr once it is closed.
  Channel* sink_;
  Pipe pipe_;
  // Bytes in the pipe.
  size_t held_ = 0;
  // The kernel has not refused it yet.
  bool splices_ = true;
  // The sink is full, or JS's bytes go first.
  bool waits_ = false;
  bool over_ = false;
};

}  // namespace nearwire
