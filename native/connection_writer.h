// The sending side of a connection: sends memory by sendmsg, files and pages by sendfile, in the order of writing. Data
// that the kernel does not take waits in a queue; the connection makes the loop watch for room, and drains the queue
// then.
//
//   closed --start()--> connecting --connected()--> open --(a send fails)--> failed
//                            \--not_connected()------------------------------^
//
//   connecting   everything is kept in the queue
//   open         writes are sent at once, unless something is waiting:
//
//                  idle --send(): the kernel takes a part, or none--> waiting for room --drain()--> idle
//                  either --(a file is not in memory)--> waiting for a disk --on_read_in()--> waiting for room
//
//   failed       nothing is taken, and what was waiting is not sent; JavaScript is informed
//
// shutdown(), in any of these: nothing more is taken; what is waiting is still sent, followed by FIN. reset() leads to
// closed from all of them.
//
// A splice may feed it (splice.h): its bytes are sent while none of JavaScript's are waiting.
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

// Parts of one send: memory lent by JavaScript, which is held only if the kernel does not take it at once, and ranges
// of files.
class SentParts {
 public:
  virtual size_t count() const = 0;
  // Parts before this one are memory; count() if there is no file.
  virtual size_t first_file() const = 0;
  // The range, or nullptr for memory.
  virtual const FileRange* file(size_t index) const = 0;
  virtual iovec part(size_t index) const = 0;
  virtual std::unique_ptr<HeldMemory> hold(size_t index) = 0;
  // Its memory may be replaced by a call that programs do not expect to affect what they have written.
  virtual bool may_lose_buffer(size_t index) = 0;

 protected:
  ~SentParts() = default;
};

struct WriteCounters {
  uint64_t bytes = 0;
  uint64_t sends = 0;
  // Of the sends, those that the kernel took in part, and those of which it took nothing.
  uint64_t partial = 0;
  uint64_t eagains = 0;
  // How often the kernel had no room for data to be sent, and the total time until it had.
  uint64_t waits = 0;
  uint64_t wait_nanos = 0;
  // Ranges of files sent, and those of them that had to be copied.
  uint32_t files = 0;
  uint32_t files_copied = 0;
  uint64_t bytes_by_reference = 0;
};

class ConnectionWriter {
 public:
  // `reads_told` is notified when a file's bytes have been read in, and must then call on_read_in().
  ConnectionWriter(Engine* engine, int32_t id, ColdRead::Target* reads_told)
      : engine_(engine), reads_told_(reads_told), id_(id) {}

  // Begins with this socket.
  void start(int fd, int family, const BufferWish& wish, bool connected) {
    fd_ = fd;
    state_ = connected ? State::kOpen : State::kConnecting;
    buffer_.begin(family, wish);
  }
  // The connect has succeeded. What has been written by now is sent.
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

  // --- called for JavaScript's writes ---
  // Adds a submission to those gathered for this flush, a list in the engine's table. Returns the previous one; -1 is
  // none.
  int32_t add_segment(int32_t index) {
    const int32_t before = std::exchange(last_segment_, index);
    if (before < 0) first_segment_ = index;
    return before;
  }
  bool has_segments() const { return first_segment_ >= 0; }
  // Sends its segments, then `parts` (may be null), as much as the kernel takes; keeps the rest. Returns 0 or a
  // negative errno; `queued()` returns what is left.
  int send(SentParts* parts);
  // Removes a file of which nothing has been sent. False: all or some of it has been.
  bool withdraw(const FileReference* file);
  size_t queued() const { return queue_ ? queue_->bytes() : 0; }
  // Includes the segments that this flush has gathered and not sent yet.
  size_t waiting() const;
  // Whether the kernel has taken all, and no send has failed; a completion may still be to report either.
  bool has_drained() const { return state_ == State::kOpen && waiting() == 0; }
  // 0: done. 1: deferred until the queue is empty, then reported by a completion.
  int shutdown();

  // --- called for events of the loop ---
  // Sends what is queued, now that the kernel has room.
  void drain();
  void on_read_in(ssize_t length, std::unique_ptr<char[]> bytes);
  // The socket is writable.
  void note_room() {
    if (wait_since_ != 0) end_wait();
  }
  // Whether the loop must watch for room. While waiting for the disk, room is of no use.
  bool wants_room() const { return (queued() > 0 && !awaits_disk()) || feeder_wants_room(); }

  // --- fed by a splice ---
  // The splice that feeds it replaces its sends. There is at most one.
  void set_feeder(Splice* feeder) { feeder_ = feeder; }
  Splice* feeder() const { return feeder_; }
  bool takes_feeder() const { return state_ == State::kOpen && !ending_ && feeder_ == nullptr; }
  bool feeder_wants_room() const;
  void drop_feeder() {
    if (feeder_ != nullptr) lose_feeder();
  }
  // JavaScript's bytes go first, including those that it writes in the batch that reports a drain.
  bool is_busy() const;
  void count_sent(ssize_t sent, size_t asked);
  // Sends what the kernel takes now and keeps the rest; returns false if that fails, which is reported to JavaScript.
  bool pass_on(const char* bytes, size_t length);
  void keep(const char* bytes, size_t length);
  // A send has failed: nothing more will be sent, and JavaScript is informed.
  void break_off(int error);

  // Decides the size of the send buffer.
  SendBufferPolicy& buffer() { return buffer_; }

  // --- queries ---
  const WriteCounters& counters() const { return counters_; }
  // When bytes were last sent: milliseconds of uv_now. 0: never.
  uint64_t sent_at() const { return sent_at_; }
  // Includes the current wait.
  WriteCounters counters_now() const;
  // Bytes sent, and to be sent, since the last receive, if they have had to wait; otherwise 0.
  bool answer_waits() const { return answer_waits_; }
  uint64_t answer_under_way() const { return answer_waits_ ? counters_.bytes + queued() - answer_start_ : 0; }
  // Something has been received: the next bytes sent are another response.
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
  // Counts bytes of a file or page that have been sent, or read to be sent; `whole`: the last of them.
  void count_range(const FileReference& file, size_t bytes, bool whole, bool by_reference);

  Engine* const engine_;
  ColdRead::Target* const reads_told_;
  std::unique_ptr<WriteQueue> queue_;
  // Created when a file is first found not to be in memory.
  std::unique_ptr<ColdRead> cold_read_;
  Splice* feeder_ = nullptr;
  // The batch that reports a drain, counted from 1.
  uint64_t drained_turn_ = 0;
  // When the kernel last ran out of room (uv_hrtime); reset when it has room.
  uint64_t wait_since_ = 0;
  // Bytes that had been sent at the last receive.
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
  // Nothing more is taken.
  bool ending_ = false;
  // The kernel has not taken everything sent since then at once.
  bool answer_waits_ = false;
};

}  // namespace nearwire
