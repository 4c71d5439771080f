#include "connection.h"

#include <cerrno>

#include "check.h"
#include "engine.h"
#include "splice.h"
#include "sys.h"
#include "tally.h"

namespace nearwire {

Connection::Connection(Engine* engine, int32_t id)
    : Source(engine, id), reader_(engine, id), writer_(engine, id, this) {}

Connection::~Connection() { close(false); }

void Connection::start(State state, int fd, int family, const ConnectionOptions& options) {
  NEARWIRE_CHECK(state_ == State::kFree && fd >= 0 && queued() == 0 && !has_segments());
  fd_ = fd;
  family_ = family;
  state_ = state;
  tally_ = options.tally;
  if (tally_) tally_place_ = tally_->join(this);
  reader_.start(fd, options.owned, !options.paused);
  if (state == State::kOpen) reader_.connected();
  writer_.start(fd, family, options.buffers, state == State::kOpen);
  // A refused size is not worth losing the connection: the actual sizes can be read back.
  engine_->system_buffers().apply(fd, family, options.buffers);
  if (family == AF_UNIX) return;
  if (options.no_delay) sys::set_no_delay(fd, true);
  if (options.keep_alive) sys::set_keep_alive(fd, true, options.keep_alive_delay);
}

void Connection::open(int fd, const ConnectionOptions& options, int family) {
  start(State::kOpen, fd, family, options);
  if (!reader_.is_reading()) return;
  if (reader_.read()) note_received();
  register_later();
}

int Connection::adopt(int fd, const ConnectionOptions& options, int family) {
  const int error = watcher_.open(engine_->loop(), fd);
  if (error < 0) return error;
  start(State::kOpen, fd, family, options);
  if (reader_.is_reading()) register_later();
  return 0;
}

void Connection::connect(int fd, const Address& address, const ConnectionOptions& options) {
  start(State::kConnecting, fd, address.family(), options);
  note_connect(address.connect(fd));
}

void Connection::prepare_connect(int fd, const Address& address, const ConnectionOptions& options) {
  start(State::kConnecting, fd, address.family(), options);
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
  if (status == 0) {
    reader_.connected();
    writer_.connected();
  } else {
    writer_.not_connected();
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
  const bool writable = connecting || (state_ == State::kOpen && writer_.wants_room());
  const int error = watcher_.watch(engine_->loop(), fd_, this, reader_.wants_bytes(), writable);
  if (error < 0) engine_->turn().report({id_, Event::kReadError, error, 0});
}

void Connection::on_ready(bool readable, bool writable) {
  // If the batch is full, the event stays pending: the loop reports it again.
  if (!engine_->turn().has_room()) return;
  count_turn();
  if (writable) writer_.note_room();
  if (state_ == State::kConnecting) {
    const int status = sys::pending_error(fd_);
    if (status != -EINPROGRESS) finish_connect(status);
    return;
  }
  if (writable && queued() > 0) {
    writer_.drain();
  } else if (writable && writer_.feeder_wants_room()) {
    writer_.feeder()->on_room();
  }
  if (readable && reader_.read()) note_received();
  // JavaScript usually returns its buffer within the iteration: then nothing has changed for the loop.
  if (reader_.awaits_target()) {
    register_later();
  } else {
    update_interest();
  }
}

void Connection::on_cold_read(ssize_t length, std::unique_ptr<char[]> bytes) {
  writer_.on_read_in(length, std::move(bytes));
  register_later();
}

void Connection::count_turn() {
  if (last_turn_ == engine_->turn().number() + 1) return;
  last_turn_ = engine_->turn().number() + 1;
  ++turns_;
  if (tally_) tally_->note_turn(last_turn_);
}

void Connection::tell_answer() {
  if (tally_) tally_->note_answer(answer_under_way());
}

void Connection::set_reading(bool reading) {
  if (reader_.is_reading() == reading) return;
  reader_.set_reading(reading);
  register_later();
}

int Connection::start_sink(std::unique_ptr<Sink> sink) {
  const int error = reader_.start_sink(std::move(sink));
  if (error == 0) register_later();
  return error;
}

uint64_t Connection::stop_sink() {
  if (sink() == nullptr) return 0;
  const uint64_t moved = reader_.stop_sink();
  register_later();
  return moved;
}

bool Connection::withdraw(const FileReference* file) {
  if (!writer_.withdraw(file)) return false;
  if (state_ == State::kOpen) register_later();
  return true;
}

bool Connection::pass_on(const char* bytes, size_t length) {
  const bool passed = writer_.pass_on(bytes, length);
  if (queued() > 0) register_later();
  return passed;
}

void Connection::keep(const char* bytes, size_t length) {
  writer_.keep(bytes, length);
  if (queued() > 0) register_later();
}

void Connection::wait_for_room() {
  writer_.buffer().on_wait();
  register_later();
}

int Connection::share() {
  if (state_ != State::kOpen) return -ENOTCONN;
  const int error = watcher_.open(engine_->loop(), fd_);
  return error < 0 ? error : fd_;
}

void Connection::close(bool reset) {
  if (state_ == State::kFree) return;
  reader_.drop_sink();
  writer_.drop_feeder();
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
  if (has_segments()) {
    const int error = send(nullptr);
    if (error < 0) return error;
  }
  if (sink() != nullptr || writer_.feeder() != nullptr) return -EBUSY;
  if (queued() > 0) return -EAGAIN;
  if (bytes_read() != seen) return -EBUSY;
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
  reader_.reset();
  writer_.reset();
  prepared_.reset();
  registering_ = false;
  last_turn_ = turns_ = 0;
}

}  // namespace nearwire
