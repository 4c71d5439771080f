// The state of one environment: its connections and listeners by id, the memory shared with JavaScript, and the loop's
// iterations.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "buffers.h"
#include "connection.h"
#include "file_reference.h"
#include "heap_top.h"
#include "listener.h"
#include "loop.h"
#include "pipe_pool.h"
#include "slab.h"
#include "turn.h"

namespace nearwire {

// A write's bytes and its connection, as JavaScript stores them.
struct Submission {
  int32_t id;
  int32_t offset;
  int32_t length;
};

// The unit of uv_hrtime.
constexpr double kNanosPerMilli = 1e6;

// Fields that both sides read: same order as in src/binding/words.ts.
struct SharedState {
  // Submissions stored and not yet gathered. JavaScript increments it, gathering resets it to 0.
  int32_t submitted = 0;
  // 1 during a batch, and until its flush: writes made meanwhile are sent without a call to flush.
  int32_t in_turn = 0;
  // 1 while the arena holds bytes of submissions already gathered.
  int32_t gathered = 0;
  // The contents of a delivery. Reading shared fields costs less than passing arguments.
  int32_t completions = 0;
  int32_t slots_wanted = 0;
  int32_t results = 0;
  // The lent slab has memory that JavaScript does not know yet.
  int32_t lent_replaced = 0;
  // The batch's only handler has written and run for long: see Engine::deliver.
  int32_t ran_long = 0;
  // When the delivery began, in milliseconds of uv_hrtime.
  double turn_began = 0;
};
static_assert(offsetof(SharedState, turn_began) == 32);

// The outcome of a connection's share of a flush, unless everything was sent.
struct FlushResult {
  int32_t id;
  int32_t error;
  int32_t queued;
};

// A submission as an element of its connection's list.
struct Segment {
  uint32_t offset;
  uint32_t length;
  int32_t next;
};

struct EngineCounters {
  uint64_t turns = 0;
  uint64_t completions = 0;
  uint64_t reads = 0;
  uint64_t sends = 0;
  uint64_t partial_sends = 0;
  uint64_t eagains = 0;
  uint64_t accepted = 0;
  // Connections that were closed instead of accepted because no descriptor was left.
  uint64_t dropped = 0;
  // Ranges of pages sent completely, and bytes of pages: those lent to the kernel, and others.
  uint64_t pages_by_reference = 0;
  uint64_t page_bytes_by_reference = 0;
  uint64_t pages_by_copy = 0;
  uint64_t page_bytes_by_copy = 0;
  uint64_t files = 0;
  uint64_t files_copied = 0;
  uint64_t bytes_by_reference = 0;
};

class Engine final : private Turn::Phases {
 public:
  // As large as the lent slab, for the same reasons.
  static constexpr size_t kInboxBytes = LentSlab::kBytes;
  // The arena for small writes: more than the kernel takes on one connection at default buffer sizes.
  static constexpr size_t kArenaBytes = 256 * 1024;
  static constexpr size_t kMaxSubmissions = 4096;
  // One read, as in libuv.
  static constexpr size_t kScratchBytes = 64 * 1024;

  // Calls the layer above; the engine must survive anything that the call does.
  class Delegate {
   public:
    // A batch of completions, or the results of the flush after one: `shared()` says which, and how many.
    virtual void deliver() = 0;
    // The call requested with `call_when_closing`.
    virtual void closing() = 0;

   protected:
    ~Delegate() = default;
  };

  Engine(uv_loop_t* loop, Delegate* delegate);

  int open();
  // Sends what is queued, closes everything, and calls back when the loop has released all handles. Safe to call twice.
  void close(std::function<void()> done);
  bool closed() const { return closed_; }

  // --- memory shared with JS ---
  char* inbox_memory() { return inbox_memory_.get(); }
  char* arena() { return arena_.get(); }
  Completion* completions() { return completions_.get(); }
  Submission* submissions() { return submissions_.get(); }
  FlushResult* results() { return results_.get(); }
  SharedState* shared() { return &shared_; }

  // --- called by JavaScript ---
  int connect(const Address& address, const Address* local, const ConnectionOptions& options);
  // A connection that does not start connecting yet: see Connection::prepare_connect.
  int prepare_connect(const Address& address, const ConnectionOptions& options);
  int listen(const Address& address, const std::string& path, const ListenOptions& options);
  // Adopts an existing connected stream socket. Returns its id, or a negative errno; then the caller still owns it.
  int adopt(int fd, const ConnectionOptions& options);
  // The same for a socket to listen on, bound or already listening.
  int adopt_listener(int fd, const ListenOptions& options);
  // Sends submissions and gives up the descriptor: see Connection::detach. Also -EBUSY: a failure that has not been
  // reported to JavaScript yet.
  int detach(int32_t id, uint64_t seen);
  // Removes completions of bytes that JavaScript has not received yet (all after the first `seen`), oldest first. The
  // caller takes them over.
  std::vector<Completion> take_unread(int32_t id, uint64_t seen);
  // Removes accepted connections that have not been reported to JavaScript, and returns their ids.
  std::vector<int32_t> take_accepted(int32_t listener) { return turn_.take_accepted(listener); }
  // Writes what a connection receives to a file, through another descriptor of it: see file_sink.h.
  int receive_file(int32_t id, int file, int64_t offset, uint64_t limit, std::function<void(uint64_t, int)> write_end);
  // Sends what one connection receives on another until `stop_sink`: see splice.h. 0 or a negative errno: see
  // NativeEngine.splice in src/binding/engine.ts.
  int splice(int32_t source, int32_t target, uint64_t limit);
  Connection* connection(int32_t id);
  Listener* listener(int32_t id);
  void close_connection(int32_t id, bool reset);
  void close_listener(int32_t id);
  // The files that JavaScript has opened.
  FileTable& files() { return files_; }
  // Microseconds for which the loop polls without blocking after an iteration that had completions; 0: never.
  void set_spin(uint32_t microseconds) { turn_.spin().set(microseconds); }
  // Makes the loop call Delegate::closing in the closing phase of this iteration.
  int call_when_closing() { return closed_ ? -ECANCELED : turn_.call_when_closing(); }
  // Distributes submissions to their connections without sending.
  void gather();
  // Gathers, then sends for every connection that has something. Returns the number of results. While
  // SharedState::gathered is set, there was no room for more, and it must be called again.
  size_t flush();
  // Whether this thread has been preempted since the last call.
  bool was_preempted();
  const EngineCounters& counters() const { return counters_; }
  const SpinCounters& spin_counters() const { return turn_.spin().counters(); }

  // --- used by connections and listeners ---
  Loop& loop() { return loop_; }
  Turn& turn() { return turn_; }
  Slab& inbox() { return inbox_; }
  LentSlab& lent() { return lent_; }
  ReadBlocks& blocks() { return blocks_; }
  HeapTop& heap_top() { return heap_top_; }
  PipePool& pipes() { return pipes_; }
  // Memory for bytes that are passed on immediately.
  iovec scratch();
  Connection* new_connection();
  // Updates what the loop watches this connection for before it blocks again.
  void register_later(int32_t id);
  const Segment& segment(int32_t index) const { return segments_[static_cast<size_t>(index)]; }
  // The bytes of a list of segments, in a vector that the next call reuses.
  std::vector<iovec>& parts_of(int32_t first_segment);
  SystemBuffers& system_buffers() { return system_buffers_; }
  // Stops the connection of this descriptor, if there is one, from resizing its send buffer.
  void keep_send_buffer(int fd);
  void drop_spare();
  void restore_spare();
  void count_accept() { ++counters_.accepted; }
  void count_drop() { ++counters_.dropped; }
  void count_read() { ++counters_.reads; }
  void count_file(bool copied) {
    ++counters_.files;
    if (copied) ++counters_.files_copied;
  }
  void count_by_reference(size_t bytes) { counters_.bytes_by_reference += bytes; }
  void count_send(bool partial, bool refused);
  // Counts bytes of a page; `whole`: the last of those to be sent.
  void count_page(bool by_reference, size_t bytes, bool whole);

 private:
  void before_poll() override;
  void deliver(size_t count) override;
  void after_turn() override;
  void after_nested_turn() override;
  void closing() override;

  void flush_after_batch();
  void retire(int32_t id);
  Listener* free_listener();
  bool owns(int fd) const;
  void update_interests();

  Loop loop_;
  Delegate* delegate_;
  Turn turn_;
  Slab inbox_;
  LentSlab lent_;
  ReadBlocks blocks_;
  HeapTop heap_top_;
  // How much of both was used when the current delivery began: reads of a nested iteration follow after that.
  struct Delivered {
    size_t inbox = 0;
    size_t lent = 0;
  };
  Delivered delivered_;
  PipePool pipes_;
  std::unique_ptr<char[]> inbox_memory_;
  std::unique_ptr<char[]> arena_;
  std::unique_ptr<char[]> scratch_;
  std::unique_ptr<Completion[]> completions_;
  std::unique_ptr<Submission[]> submissions_;
  std::unique_ptr<FlushResult[]> results_;
  SharedState shared_;

  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<int32_t> free_connections_;
  std::vector<int32_t> free_listeners_;
  // Closed in this iteration: their completions may still be on the way to JavaScript.
  std::vector<int32_t> retired_;
  std::vector<int32_t> registering_;

  FileTable files_;

  std::vector<Segment> segments_;
  std::vector<int32_t> touched_;
  std::vector<iovec> parts_;
  EngineCounters counters_;
  SystemBuffers system_buffers_;
  int spare_ = -1;
  // The number of connections in touched_ that this flush has handled.
  size_t flushed_ = 0;
  int64_t preemptions_ = 0;
  bool closed_ = false;
};

}  // namespace nearwire
