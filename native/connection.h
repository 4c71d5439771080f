// One connected (or connecting) stream socket: its lifetime, what the loop watches it for, and the interface between
// receiving (connection_reader.h) and sending (connection_writer.h).
//
//   connecting --(outcome 0)--> open --close()--> free
//        \--(failed)--> failed --close()--> free
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "address.h"
#include "buffers.h"
#include "cold_read.h"
#include "connection_reader.h"
#include "connection_writer.h"
#include "source.h"
#include "watcher.h"

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
  // Of the accepting server; may be null.
  std::shared_ptr<Tally> tally;
};

struct ConnectionCounters {
  ReadCounters read;
  WriteCounters write;
  // Event-loop iterations in which the socket was ready.
  uint64_t turns = 0;
};

class Connection final : public Source, private Watcher::Target, private ColdRead::Target {
 public:
  Connection(Engine* engine, int32_t id);
  ~Connection();

  Kind kind() const override { return Kind::kConnection; }

  // Takes over a connected descriptor.
  void open(int fd, const ConnectionOptions& options, int family);
  // The same outside the poll phase, where nothing is read at once. 0, or a negative errno: then the descriptor is not
  // taken.
  int adopt(int fd, const ConnectionOptions& options, int family);
  // Starts to connect. The outcome is always reported later, by a Connect completion.
  void connect(int fd, const Address& address, const ConnectionOptions& options);
  // Stores the address, and does nothing yet.
  void prepare_connect(int fd, const Address& address, const ConnectionOptions& options);
  // Starts the prepared connect. -EAGAIN: the listener's queue is full, and nothing has changed. -EALREADY: it has been
  // started.
  int try_connect();
  // See ConnectionWriter::shutdown.
  int shutdown() { return writer_.shutdown(); }
  // Gives up the descriptor without a shutdown, and is free. -EAGAIN: bytes are waiting to be sent. -EBUSY: more than
  // the `seen` bytes has been read. -ENOTCONN: not connected yet, or never will be.
  int detach(uint64_t seen);
  void close(bool reset);

  int fd() const override { return fd_; }
  bool is_free() const { return state_ == State::kFree; }
  int family() const { return family_; }
  // Returns the descriptor, to be shared with another process, which may make it blocking: later watches do not undo
  // that.
  int share();
  void set_ref(bool ref) { watcher_.set_ref(ref); }
  // Updates the events that the loop watches for.
  void update_interest();

  // --- receiving: see ConnectionReader ---
  void set_reading(bool reading);
  void read_into(std::unique_ptr<HeldMemory> target) { reader_.read_into(std::move(target)); }
  int start_sink(std::unique_ptr<Sink> sink);
  uint64_t stop_sink();
  Sink* sink() const { return reader_.sink(); }
  // A sink has read.
  void count_taken(ssize_t length) {
    if (reader_.count(length)) note_received();
  }

  // --- sending: see ConnectionWriter ---
  int32_t add_segment(int32_t index) { return writer_.add_segment(index); }
  bool has_segments() const { return writer_.has_segments(); }
  int send(SentParts* parts) {
    const int error = writer_.send(parts);
    if (queued() > 0) register_later();
    return error;
  }
  bool withdraw(const FileReference* file);
  size_t queued() const { return writer_.queued(); }
  size_t waiting() const { return writer_.waiting(); }
  bool has_drained() const { return writer_.has_drained(); }
  // The program has set the send buffer.
  void keep_send_buffer() { writer_.buffer().keep(); }

  // --- being fed by a splice: see ConnectionWriter ---
  void set_feeder(Splice* feeder) { writer_.set_feeder(feeder); }
  bool takes_feeder() const { return writer_.takes_feeder(); }
  bool is_busy() const { return writer_.is_busy(); }
  void count_sent(ssize_t sent, size_t asked) { writer_.count_sent(sent, asked); }
  bool pass_on(const char* bytes, size_t length);
  void keep(const char* bytes, size_t length);
  void break_writing(int error) { writer_.break_off(error); }
  // The kernel has no room for the splice's bytes, and has room again.
  void wait_for_room();
  void end_wait_for_room() { writer_.buffer().on_room(fd_, true); }

  // --- queries ---
  uint64_t bytes_read() const { return reader_.counters().bytes; }
  // When bytes last moved, in or out: milliseconds of uv_now. 0: never.
  uint64_t moved_at() const { return std::max(reader_.received_at(), writer_.sent_at()); }
  // Includes the current wait.
  ConnectionCounters counters_now() const { return {reader_.counters(), writer_.counters_now(), turns_}; }
  // See ConnectionWriter::answer_under_way.
  uint64_t answer_under_way() const { return writer_.answer_under_way(); }
  // The place returned by Tally::join.
  void set_tally_place(uint32_t place) { tally_place_ = place; }

 private:
  enum class State : uint8_t { kFree, kConnecting, kOpen, kFailed };

  void on_ready(bool readable, bool writable) override;
  void on_cold_read(ssize_t length, std::unique_ptr<char[]> bytes) override;
  void start(State state, int fd, int family, const ConnectionOptions& options);
  void note_connect(int error);
  void finish_connect(int status);
  // The peer has sent something: that ends the current response to it.
  void note_received() {
    if (writer_.answer_waits()) tell_answer();
    writer_.begin_answer();
  }
  void tell_answer();
  void count_turn();
  void register_later();
  void become_free();

  Watcher watcher_;
  ConnectionReader reader_;
  ConnectionWriter writer_;
  // The address of a connect that is still to be tried.
  std::unique_ptr<Address> prepared_;
  std::shared_ptr<Tally> tally_;
  // The last iteration in which the socket was ready, counted from 1.
  uint64_t last_turn_ = 0;
  uint64_t turns_ = 0;
  uint32_t tally_place_ = 0;
  int fd_ = -1;
  int family_ = 0;
  State state_ = State::kFree;
  bool registering_ = false;
};

}  // namespace nearwire
