#include "connection.h"

#include <algorithm>
#include <cerrno>

#include "check.h"
#include "engine.h"
#include "sink.h"
#include "splice.h"
#include "sys.h"
#include "tally.h"

namespace nearwire {

namespace {

// Reads of one connection per wake-up, so that one busy peer does not starve the loop, nor outrun a pause for long.
constexpr int kReadsPerTurn = 4;

}  // namespace

Connection::Connection(Engine* engine, int32_t id) : Source(engine, id) {}

Connection::~Connection() { close(false); }

void Connection::apply(const ConnectionOptions& options) {
  owned_ = options.owned;
  tally_ = options.tally;
  if (tally_) tally_place_ = tally_->join(this);
  // TCP sizes its own buffers.
  const BufferWish& buffers = options.buffers;
  send_buffer_fixed_ = buffers.send > 0 || family_ != AF_UNIX;
  grows_with_writes_ = buffers.send == BufferWish::kAutoBuffer && family_ == AF_UNIX;
  reading_ = !options.paused;
  // What the platform refuses is not worth losing the connection for: the sizes can be read back.
  engine_->system_buffers().apply(fd_, family_, buffers);
  if (family_ == AF_UNIX) return;
  if (options.no_delay) sys::set_no_delay(fd_, true);
  if (options.keep_alive) sys::set_keep_alive(fd_, true, options.keep_alive_delay);
}

void Connection::open(int fd, const ConnectionOptions& options, int family) {
  NEARWIRE_CHECK(state_ == State::kFree && fd >= 0 && queued() == 0 && first_segment < 0);
  fd_ = fd;
  family_ = family;
  state_ = State::kOpen;
  apply(options);
  if (!reading_) return;
  read();
  register_later();
}

int Connection::adopt(int fd, const ConnectionOptions& options, int family) {
  NEARWIRE_CHECK(state_ == State::kFree && fd >= 0 && queued() == 0 && first_segment < 0);
  const int error = watcher_.open(engine_->loop(), fd);
  if (error < 0) return error;
  fd_ = fd;
  family_ = family;
  state_ = State::kOpen;
  apply(options);
  if (reading_) register_later();
  return 0;
}

void Connection::begin_connect(int fd, int family, const ConnectionOptions& options) {
  fd_ = fd;
  family_ = family;
  state_ = State::kConnecting;
  apply(options);
}

void Connection::connect(int fd, const Address& address, const ConnectionOptions& options) {
  begin_connect(fd, address.family(), options);
  note_connect(address.connect(fd));
}

void Connection::prepare_connect(int fd, const Address& address, const ConnectionOptions& options) {
  begin_connect(fd, address.family(), options);
  prepared_ = std::make_unique<Address>(address);
}

int Connection::try_connect() {
  if (!prepared_) return -EALREADY;
  const int error = prepared_->connect(fd_);
  if (error == -EAGAIN) return error;
  prepared_.reset();
  note_connect(error);
  return 0;
}

void Connection::note_connect(int error) {
  if (error == -EINPROGRESS) {
    register_later();
  } else {
    finish_connect(error);
  }
}

void Connection::finish_connect(int status) {
  state_ = status == 0 ? State::kOpen : State::kFailed;
  engine_->turn().report({id_, Event::kConnect, status, 0});
  if (status == 0 && queue_) {
    const size_t bytes = queued();
    drain_queue();
    if (queued() > 0 && make_room_for(bytes)) drain_queue();
  } else if (status == 0 && shutdown_asked_) {
    engine_->turn().report({id_, Event::kShutdown, sys::shutdown_write(fd_), 0});
  }
  register_later();
}

void Connection::register_later() {
  if (registering_) return;
  registering_ = true;
  engine_->register_later(id_);
}

void Connection::update_interest() {
  registering_ = false;
  const bool connecting = state_ == State::kConnecting && !prepared_;
  const bool wanted = sink_ ? sink_->wants_bytes() : reading_;
  const bool readable = state_ == State::kOpen && wanted && !ended_;
  // While the disk is waited for, room in the kernel is of no use.
  const bool sending = queued() > 0 && !awaits_disk();
  const bool fed = feeder_ != nullptr && feeder_->wants_room();
  const bool writable = connecting || (state_ == State::kOpen && (sending || fed));
  const int error = watcher_.watch(engine_->loop(), fd_, this, readable, writable);
  if (error < 0) engine_->turn().report({id_, Event::kReadError, error, 0});
}

void Connection::on_ready(bool readable, bool writable) {
  // A full turn leaves the event standing: the loop reports it again.
  if (!engine_->turn().has_room()) return;
  count_turn();
  if (writable && wait_since_ != 0) end_wait();
  if (state_ == State::kConnecting) {
    const int status = sys::pending_error(fd_);
    if (status == -EINPROGRESS) return;
    finish_connect(status);
    return;
  }
  if (writable && queued() > 0) {
    drain_queue();
  } else if (writable && feeder_ != nullptr && feeder_->wants_room()) {
    feeder_->on_room();
  }
  if (readable && sink_ && sink_->wants_bytes() && !ended_) {
    sink_->run();
  } else if (readable && !sink_) {
    read();
  }
  // JS is done with its buffer within the turn, as a rule: then nothing has changed for the loop.
  if (target_ && !reading_) {
    register_later();
  } else {
    update_interest();
  }
}

void Connection::count_turn() {
  if (last_turn_ == engine_->turn().number() + 1) return;
  last_turn_ = engine_->turn().number() + 1;
  ++counters_.turns;
  if (tally_) tally_->note_turn(last_turn_);
}

void Connection::read() {
  if (target_) {
    read_into_target();
    return;
  }
  for (int i = 0; i < kReadsPerTurn; ++i) {
    if (state_ != State::kOpen || !reading_ || ended_ || !engine_->turn().has_room()) return;
    if (!read_once()) return;
  }
}

// One read. True if it came back full, so that there may be more.
bool Connection::read_once() {
  if (!owned_) return read_to(engine_->lent().room(), Event::kLent);
  // A long read is expected to fill a block, which the program is then given as it is.
  const int slot = expects_long_read() ? engine_->blocks().next() : -1;
  if (slot >= 0) return read_to_block(slot);
  iovec room = engine_->inbox().room(ReadBlocks::kReadSize);
  room.iov_len = std::min(room.iov_len, ReadBlocks::kReadSize);
  return read_to(room, Event::kInbox);
}

bool Connection::read_to(const iovec& room, Event event) {
  // Full: in the next turn.
  if (room.iov_len == 0) return false;
  const ssize_t length = sys::receive(fd_, room.iov_base, room.iov_len);
  if (!note_received(length)) return false;
  const auto size = static_cast<size_t>(length);
  const size_t at = event == Event::kLent ? engine_->lent().take(size) : engine_->inbox().take(size);
  engine_->turn().push({id_, event, static_cast<int32_t>(at), static_cast<int32_t>(length)});
  return size == room.iov_len;
}

bool Connection::read_to_block(int slot) {
  ReadBlocks& blocks = engine_->blocks();
  const ssize_t length = sys::receive(fd_, blocks.memory(slot), ReadBlocks::kReadSize);
  if (!note_received(length)) return false;
  blocks.take(slot, static_cast<size_t>(length));
  engine_->turn().push({id_, Event::kBlock, slot, static_cast<int32_t>(length)});
  return static_cast<size_t>(length) == ReadBlocks::kReadSize;
}

// Whether a read has brought bytes.
bool Connection::note_received(ssize_t length) {
  count_read(length);
  if (length <= 0) {
    note_no_bytes(length);
    return false;
  }
  const bool is_long = static_cast<size_t>(length) >= ReadBlocks::kLongRead;
  (after_long_ ? long_after_long_ : long_after_short_) = is_long;
  after_long_ = is_long;
  return true;
}

void Connection::read_into_target() {
  if (state_ != State::kOpen || !reading_ || ended_ || !engine_->turn().has_room()) return;
  // JS has yet to see what it holds, though it has asked for more.
  if (target_turn_ == engine_->turn().number() + 1) return;
  const size_t room = std::min<size_t>(target_->size(), INT32_MAX);
  // libuv's answer to a buffer without room. A detached one has none either.
  const ssize_t length = room == 0 ? -ENOBUFS : sys::receive(fd_, target_->data(), room);
  count_read(length);
  if (length <= 0) {
    note_no_bytes(length);
    return;
  }
  reading_ = false;
  target_turn_ = engine_->turn().number() + 1;
  engine_->turn().push({id_, Event::kInto, 0, static_cast<int32_t>(length)});
}

void Connection::count_read(ssize_t length) {
  ++counters_.reads;
  engine_->count_read();
  if (length <= 0) return;
  counters_.bytes_read += static_cast<uint64_t>(length);
  moved_at_ = uv_now(engine_->loop().uv());
  ++counters_.messages;
  if (answer_waits_) {
    if (tally_) tally_->note_answer(answer_under_way());
    answer_waits_ = false;
  }
  answer_start_ = counters_.bytes_written;
}

ConnectionCounters Connection::counters_now() const {
  ConnectionCounters now = counters_;
  if (wait_since_ != 0) now.wait_nanos += uv_hrtime() - wait_since_;
  return now;
}

// A read came back empty: nothing there, the peer's FIN, or an error.
void Connection::note_no_bytes(ssize_t length) {
  Turn& turn = engine_->turn();
  if (length == -EAGAIN) {
    ++counters_.eagains;
    return;
  }
  ended_ = true;
  if (length == 0) {
    turn.report({id_, Event::kEnd, 0, 0});
  } else {
    turn.report({id_, Event::kReadError, static_cast<int32_t>(length), 0});
  }
}

void Connection::set_reading(bool reading) {
  if (reading_ == reading) return;
  reading_ = reading;
  register_later();
}

int Connection::share() {
  if (state_ != State::kOpen) return -ENOTCONN;
  const int error = watcher_.open(engine_->loop(), fd_);
  return error < 0 ? error : fd_;
}

void Connection::set_ref(bool ref) { watcher_.set_ref(ref); }

int Connection::shutdown() {
  if (shutdown_asked_) return -EPIPE;
  if (feeder_ != nullptr) {
    feeder_->hand_over();
    feeder_->lose_target();
  }
  shutdown_asked_ = true;
  if (queued() > 0 || state_ == State::kConnecting) return 1;
  return sys::shutdown_write(fd_);
}

void Connection::close(bool reset) {
  if (state_ == State::kFree) return;
  stop_splices();
  watcher_.close();
  if (reset && family_ != AF_UNIX) {
    sys::close_with_reset(fd_);
  } else {
    sys::close_descriptor(fd_);
  }
  become_free();
}

int Connection::detach(uint64_t seen) {
  if (state_ != State::kOpen) return -ENOTCONN;
  if (first_segment >= 0) {
    const int error = send(nullptr);
    if (error < 0) return error;
  }
  if (sink_ || feeder_ != nullptr) return -EBUSY;
  if (queued() > 0) return -EAGAIN;
  if (counters_.bytes_read != seen) return -EBUSY;
  const int fd = fd_;
  watcher_.close();
  become_free();
  return fd;
}

void Connection::become_free() {
  if (tally_) tally_->leave(*this, tally_place_);
  tally_.reset();
  state_ = State::kFree;
  fd_ = -1;
  queue_.reset();
  cold_read_.reset();
  target_.reset();
  target_turn_ = 0;
  prepared_.reset();
  first_segment = last_segment = -1;
  ended_ = shutdown_asked_ = write_failed_ = registering_ = refers_ = false;
  after_long_ = long_after_long_ = long_after_short_ = false;
  last_turn_ = 0;
  drained_turn_ = 0;
  blocked_since_ = 0;
  wait_since_ = answer_start_ = moved_at_ = 0;
  answer_waits_ = false;
  room_asked_ = 0;
  counters_ = {};
}

}  // namespace nearwire
