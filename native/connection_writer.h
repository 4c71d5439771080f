// What a connection sends: memory by sendmsg, files and pages by sendfile, in the order of writing. What the kernel
// does not take waits in a queue; the connection has the loop say when there is room, and drains it then.
//
//   closed --start()--> connecting --connected()--> open --(a send fails)--> failed
//                            \--not_connected()------------------------------^
//
//   connecting   all is kept in the queue
//   open         what is written is sent at once, unless something waits:
//
//                  idle --send(): the kernel takes a part, or none--> waiting for room --drain()--> idle
//                  either --(a file is not in memory)--> waiting for a disk --on_read_in()--> waiting for room
//
//   failed       nothing is taken, and what waited does not go; JS is told
//
// shutdown(), in any of them: nothing more is taken; what waits still goes, and the end (FIN) behind it. reset() leads
// to closed from all of them.
//
// A splice may feed it (splice.h): its bytes go while nothing of JS's waits.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "cold_read.h"
#include "send_buffer_policy.h"
#include "write_queue.h"

namespace nearwire {

class Engine;
class Splice;

// Parts of one send: memory that JS lends, of which only what the kernel does not take at once is held, and ranges of
// files.
class SentParts {
 public:
  virtual size_t count() const = 0;
  // Parts before this one are memory; count() where there is no file.
  virtual size_t first_file() const = 0;
  // The range, or nullptr for memory.
  virtual const FileRange* file(size_t index) const = 0;
  virtual iovec part(size_t index) const = 0;
  virtual std::unique_ptr<HeldMemory> hold(size_t index) = 0;
  // Its memory may get another buffer by a call that no program takes for a danger to what it has written.
  virtual bool may_lose_buffer(size_t index) = 0;

 protected:
  ~SentParts() = default;
};

struct WriteCounters {
  uint64_t bytes = 0;
  uint64_t sends = 0;
  // Of the sends, those of which the kernel took a part, and those of which it took nothing.
  uint64_t partial = 0;
  uint64_t eagains = 0;
  // Times that the kernel had no room for what was to be sent, and until it had again in all.
  uint64_t waits = 0;
  uint64_t wait_nanos = 0;
  // Ranges of files that are sent, and those of them that had to be copied.
  uint32_t files = 0;
  uint32_t files_copied = 0;
  uint64_t bytes_by_reference = 0;
};

class ConnectionWriter {
 public:
  // `reads_told`: told when a file's bytes have been read in, and has on_read_in() called.
  ConnectionWriter(Engine* engine, int32_t id, ColdRead::Target* reads_told)
      : engine_(engine), reads_told_(reads_told), id_(id) {}

  // Is to write to this socket.
  void start(int fd, int family, const BufferWish& wish, bool connected) {
    fd_ = fd;
    state_ = connected ? State::kOpen : State::kConnecting;
    buffer_.begin(family, wish);
  }
  // The outcome of a connect. What has been written by now is sent.
  void connected();
  void not_connected() { state_ = State::kFailed; }
  void reset() {
    state_ = State::kClosed;
    fd_ = -1;
    queue_.reset();
    cold_read_.reset();
    first_segment_ = last_segment_ = -1;
    ending_ = false;
    drained_turn_ = 0;
    wait_since_ = sent_at_ = 0;
    counters_ = {};
    begin_answer();
  }

  // --- what JS writes ---
  // Adds a submission to those gathered for this flush, a list in the engine's table. Answers the one before it; -1 is
  // none.
  int32_t add_segment(int32_t index) {
    const int32_t before = std::exchange(last_segment_, index);
    if (before < 0) first_segment_ = index;
    return before;
  }
  bool has_segments() const { return first_segment_ >= 0; }
  // Sends its segments, then `parts` (may be null), as far as the kernel goes; keeps the rest. Returns 0 or a negative
  // errno; `queued()` tells what is left.
  int send(SentParts* parts);
  // Takes back a file of which nothing has been sent. False: all of it, or some.
  bool withdraw(const FileReference* file);
  size_t queued() const { return queue_ ? queue_->bytes() : 0; }
  // With the segments that this flush has gathered and not sent yet.
  size_t waiting() const;
  // 0: done. 1: will be done when the queue is empty, and told by a completion.
  int shutdown();

  // --- what the loop tells, and is to tell ---
  // Sends what was kept, now that the kernel has room.
  void drain();
  void on_read_in(ssize_t length, std::unique_ptr<char[]> bytes);
  // The socket is writable.
  void note_room() {
    if (wait_since_ != 0) end_wait();
  }
  // Whether the loop is to say when there is room. While the disk is waited for, room is of no use.
  bool wants_room() const { return (queued() > 0 && !awaits_disk()) || feeder_wants_room(); }

  // --- what a splice brings ---
  // What the splice that feeds it does in place of a send. It has one at the most.
  void set_feeder(Splice* feeder) { feeder_ = feeder; }
  Splice* feeder() const { return feeder_; }
  bool takes_feeder() const { return state_ == State::kOpen && !ending_ && feeder_ == nullptr; }
  bool feeder_wants_room() const;
  void drop_feeder() {
    if (feeder_ != nullptr) lose_feeder();
  }
  // Bytes of JS's go first, and those that it writes in the batch that tells it of a drain.
  bool is_busy() const;
  void count_sent(ssize_t sent, size_t asked);
  // Sends what the kernel takes now and keeps the rest; false if that fails, which JS is told of.
  bool pass_on(const char* bytes, size_t length);
  void keep(const char* bytes, size_t length);
  // A send has failed: nothing more will be sent, and JS is told.
  void break_off(int error);

  // How large the send buffer becomes.
  SendBufferPolicy& buffer() { return buffer_; }

  // --- what is told of it ---
  const WriteCounters& counters() const { return counters_; }
  // When bytes last left: milliseconds of uv_now. 0: none have.
  uint64_t sent_at() const { return sent_at_; }
  // With the wait that is under way.
  WriteCounters counters_now() const;
  // Bytes sent, and to be sent, since something was last received, if they have had to wait; else 0.
  bool answer_waits() const { return answer_waits_; }
  uint64_t answer_under_way() const { return answer_waits_ ? counters_.bytes + queued() - answer_start_ : 0; }
  // Something has been received: what is sent from now on is another answer.
  void begin_answer() {
    answer_waits_ = false;
    answer_start_ = counters_.bytes;
  }

 private:
  enum class State : uint8_t { kClosed, kConnecting, kOpen, kFailed };

  int send_directly(SentParts* more, size_t* sent);
  void keep_rest(size_t sent, SentParts* more);
  bool goes_on(size_t sent);
  WriteQueue& queue();
  void tell_drained();
  void tell_end();
  void fail();
  void lose_feeder();
  void note_full(bool refused);
  void end_wait();
  int send_queue();
  int send_queued_memory(size_t* share);
  int send_queued_file(size_t* share);
  int copy_queued_file(const FileRange& window);
  int find_in_memory(QueuedFile* queued, FileRange* window);
  int read_in(const FileRange& window, bool keep);
  bool awaits_disk() const { return cold_read_ && cold_read_->in_progress(); }
  ssize_t send_counted(const iovec* parts, size_t count, size_t length, bool more);
  void count_file(bool copied);
  // Bytes of a file or page that are sent, or have been read to be; `whole`: the last of them.
  void count_range(const FileReference& file, size_t bytes, bool whole, bool by_reference);

  Engine* const engine_;
  ColdRead::Target* const reads_told_;
  std::unique_ptr<WriteQueue> queue_;
  // Made when a file is first found to be cold.
  std::unique_ptr<ColdRead> cold_read_;
  Splice* feeder_ = nullptr;
  // The batch that tells of a drain, counted from 1.
  uint64_t drained_turn_ = 0;
  // When the kernel last had no room for what was to be sent (uv_hrtime), until it has.
  uint64_t wait_since_ = 0;
  // Bytes that had been sent when something was last received.
  uint64_t answer_start_ = 0;
  // The loop's time, as in ConnectionReader.
  uint64_t sent_at_ = 0;
  WriteCounters counters_;
  SendBufferPolicy buffer_;
  int32_t first_segment_ = -1;
  int32_t last_segment_ = -1;
  const int32_t id_;
  int fd_ = -1;
  State state_ = State::kClosed;
  // No more is taken.
  bool ending_ = false;
  // The kernel has not taken at once all that was sent since then.
  bool answer_waits_ = false;
};

}  // namespace nearwire
