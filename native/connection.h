// One connected (or connecting) stream socket.
//
//   connecting --(outcome 0)--> open --close()--> free
//        \--(failed)--> failed --close()--> free
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "address.h"
#include "buffers.h"
#include "cold_read.h"
#include "source.h"
#include "turn.h"
#include "watcher.h"
#include "write_queue.h"

namespace nearwire {

class Engine;
class Sink;
class Splice;
class Tally;

struct ConnectionOptions {
  bool owned = false;
  BufferWish buffers;
  bool no_delay = false;
  bool keep_alive = false;
  unsigned keep_alive_delay = 0;
  bool paused = false;
  // Of the server that accepts; may be null.
  std::shared_ptr<Tally> tally;
};

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

struct ConnectionCounters {
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t reads = 0;
  uint64_t sends = 0;
  uint64_t partial_sends = 0;
  uint64_t eagains = 0;
  uint64_t turns = 0;
  // Reads that have brought bytes.
  uint64_t messages = 0;
  // Of the EAGAINs, those of sends.
  uint64_t send_eagains = 0;
  // Times that the kernel had no room for what was to be sent, and until it had again in all.
  uint64_t waits = 0;
  uint64_t wait_nanos = 0;
  // Ranges of files that are sent, and those of them that had to be copied.
  uint32_t files = 0;
  uint32_t files_copied = 0;
  uint64_t bytes_by_reference = 0;
};

class Connection final : public Source, private Watcher::Target, private ColdRead::Target {
 public:
  Connection(Engine* engine, int32_t id);
  ~Connection();

  Kind kind() const override { return Kind::kConnection; }

  // Takes over a connected descriptor.
  void open(int fd, const ConnectionOptions& options, int family);
  // The same from outside the poll phase, where nothing is read at once. 0, or a negative errno: the descriptor is not
  // taken then.
  int adopt(int fd, const ConnectionOptions& options, int family);
  // Starts to connect. The outcome is always told later, by a Connect completion.
  void connect(int fd, const Address& address, const ConnectionOptions& options);
  // Is to connect there, and does nothing yet.
  void prepare_connect(int fd, const Address& address, const ConnectionOptions& options);
  // Starts what has been prepared. -EAGAIN: the listener's queue is full, and nothing has changed. -EALREADY: it has
  // been started.
  int try_connect();

  // Reads what is there, within the turn's bounds.
  void read();
  void set_reading(bool reading);
  // Reads go to this memory from now on. Each stops the reading, until set_reading() says that JS is done with it.
  void read_into(std::unique_ptr<HeldMemory> target) { target_ = std::move(target); }
  // Makes the loop watch for what this connection waits for.
  void update_interest();

  // --- writing ---
  // Submissions gathered for this flush, as a list in the engine's table; -1 is none.
  int32_t first_segment = -1;
  int32_t last_segment = -1;
  // Sends its segments, then `parts` (may be null), as far as the kernel goes; keeps the rest. Returns 0 or a negative
  // errno; `queued()` tells what is left.
  int send(SentParts* parts);
  // Takes back a file of which nothing has been sent. False: all of it, or some.
  bool withdraw(const FileReference* file);
  size_t queued() const { return queue_ ? queue_->bytes() : 0; }
  // With the segments that this flush has gathered and not sent yet.
  size_t waiting() const;

  // --- what stands in for JS (sink.h, splice.h) ---
  // What is received goes there from now on. 0, -ENOTCONN: nothing more will come, or -EBUSY: it has a sink.
  int start_sink(std::unique_ptr<Sink> sink);
  // Gives what is received to JS again. Answers the bytes that the sink took.
  uint64_t stop_sink();
  Sink* sink() const { return sink_.get(); }
  // What the splice that feeds it does in place of a send. It has one at the most.
  void set_feeder(Splice* feeder) { feeder_ = feeder; }
  bool takes_feeder() const { return state_ == State::kOpen && !write_failed_ && !shutdown_asked_ && !feeder_; }
  // Bytes of JS's go first, and those that it writes in the batch that tells it of a drain.
  bool is_busy() const;
  void count_taken(ssize_t length);
  void count_sent(ssize_t sent, size_t asked);
  // Sends what the kernel takes now and keeps the rest; false if that fails, which JS is told of.
  bool pass_on(const char* bytes, size_t length);
  void keep(const char* bytes, size_t length);
  // Notes that the kernel has no room, and that it has again.
  void note_blocked();
  // At most to `largest` bytes, as the kernel counts them.
  void grow_send_buffer(int largest);
  void grow_for_references();
  void keep_send_buffer() {
    send_buffer_fixed_ = true;
    grows_with_writes_ = false;
  }
  // A send has failed: nothing more will be sent, and JS is told.
  void break_writing(int error);

  // 0: done. 1: will be done when the queue is empty, and told by a completion.
  int shutdown();
  // Gives the descriptor away, untouched by shutdown, and is free. -EAGAIN: bytes wait to be sent. -EBUSY: more has
  // been read than the `seen` bytes. -ENOTCONN: not connected yet, or never will be.
  int detach(uint64_t seen);
  void close(bool reset);
  // The descriptor, for another process as well, which may make it blocking: no later watch undoes that.
  int share();
  void set_ref(bool ref);

  int fd() const override { return fd_; }
  bool is_free() const { return state_ == State::kFree; }
  int family() const { return family_; }
  const ConnectionCounters& counters() const { return counters_; }
  // With the wait that is under way.
  ConnectionCounters counters_now() const;
  // When bytes last moved, in or out: milliseconds of uv_now. 0: none has.
  uint64_t moved_at() const { return moved_at_; }
  // Bytes sent, and to be sent, since something was last received, if they have had to wait; else 0.
  uint64_t answer_under_way() const { return answer_waits_ ? counters_.bytes_written + queued() - answer_start_ : 0; }
  // The place that Tally::join gave.
  void set_tally_place(uint32_t place) { tally_place_ = place; }

 private:
  enum class State : uint8_t { kFree, kConnecting, kOpen, kFailed };

  void on_ready(bool readable, bool writable) override;
  void apply(const ConnectionOptions& options);
  void begin_connect(int fd, int family, const ConnectionOptions& options);
  void note_connect(int error);
  void finish_connect(int status);
  bool read_once();
  bool read_to(const iovec& room, Event event);
  bool read_to_block(int slot);
  bool note_received(ssize_t length);
  // The rest of a body is short again and again where its head was long, and the head of the next long where the rest
  // was short: to take each for its like would cost a body of 64 KiB a copy.
  bool expects_long_read() const { return after_long_ ? long_after_long_ : long_after_short_; }
  void read_into_target();
  void count_read(ssize_t length);
  void note_full(bool refused);
  void end_wait();
  void note_no_bytes(ssize_t length);
  void count_turn();
  void on_cold_read(ssize_t length, std::unique_ptr<char[]> bytes) override;
  int send_directly(SentParts* more, size_t* sent);
  void keep_rest(size_t sent, SentParts* more);
  void drain_queue();
  void tell_drained();
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
  void fail_writing();
  void stop_splices();
  void make_room_for_pages();
  void set_send_buffer(int before, int wanted);
  bool make_room_for(size_t bytes);
  void register_later();
  void become_free();

  Watcher watcher_;
  std::unique_ptr<WriteQueue> queue_;
  // Made when a file is first found to be cold.
  std::unique_ptr<ColdRead> cold_read_;
  std::unique_ptr<HeldMemory> target_;
  std::unique_ptr<Sink> sink_;
  Splice* feeder_ = nullptr;
  // The batch that tells of what target_ holds, counted from 1.
  uint64_t target_turn_ = 0;
  // Where to connect to, once that is tried.
  std::unique_ptr<Address> prepared_;
  uint64_t last_turn_ = 0;
  // The batch that tells of a drain, counted from 1.
  uint64_t drained_turn_ = 0;
  // When the kernel last refused bytes (uv_hrtime), while they wait.
  uint64_t blocked_since_ = 0;
  ConnectionCounters counters_;
  std::shared_ptr<Tally> tally_;
  // When the kernel last had no room for what was to be sent (uv_hrtime), until it has.
  uint64_t wait_since_ = 0;
  // Bytes that had been sent when something was last received.
  uint64_t answer_start_ = 0;
  // The loop's time, as node:net has it for its timeouts: a look at the clock would cost as much as many a message.
  uint64_t moved_at_ = 0;
  uint32_t tally_place_ = 0;
  // The kernel has not taken at once all that was sent since then.
  bool answer_waits_ = false;
  // What SO_SNDBUF has been asked for as writes grew.
  size_t room_asked_ = 0;
  int fd_ = -1;
  int family_ = 0;
  State state_ = State::kFree;
  bool owned_ = false;
  bool reading_ = false;
  bool ended_ = false;
  bool shutdown_asked_ = false;
  bool write_failed_ = false;
  bool registering_ = false;
  // SO_SNDBUF is the user's, or as large as it may grow.
  bool send_buffer_fixed_ = false;
  // SO_SNDBUF is to hold what is handed over at once.
  bool grows_with_writes_ = false;
  // Has sent by reference: its send buffer has been seen to.
  bool refers_ = false;
  // The last read was a long one; so was the one after the last that was, and the one after the last that was not.
  bool after_long_ = false;
  bool long_after_long_ = false;
  bool long_after_short_ = false;
};

}  // namespace nearwire
