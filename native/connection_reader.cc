#include "connection_reader.h"

#include <algorithm>
#include <cerrno>

#include "engine.h"
#include "sys.h"

namespace nearwire {

namespace {

// Reads of one connection per wake-up, so that one busy peer neither starves the loop nor reads on long after a pause.
constexpr int kReadsPerTurn = 4;

}  // namespace

bool ConnectionReader::may_read() const { return state_ == State::kOpen && reading_ && engine_->turn().has_room(); }

bool ConnectionReader::read() {
  if (sink_) {
    if (wants_bytes()) sink_->run();
    return false;
  }
  if (target_) return read_into_target();
  const uint64_t before = counters_.messages;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    if (!may_read() || !read_once()) break;
  }
  return counters_.messages != before;
}

// One read. Returns true if it filled the buffer, so that there may be more.
bool ConnectionReader::read_once() {
  if (!owned_) return read_to(engine_->lent().room(), Event::kLent);
  // A long read is expected to fill a block, which the program then gets without a copy.
  const int slot = expects_long_read() ? engine_->blocks().next() : -1;
  if (slot >= 0) return read_to_block(slot);
  iovec room = engine_->inbox().room(ReadBlocks::kReadSize);
  room.iov_len = std::min(room.iov_len, ReadBlocks::kReadSize);
  return read_to(room, Event::kInbox);
}

bool ConnectionReader::read_to(const iovec& room, Event event) {
  // The inbox is full: continues in the next iteration.
  if (room.iov_len == 0) return false;
  const ssize_t length = sys::receive(fd_, room.iov_base, room.iov_len);
  if (!note_received(length)) return false;
  const auto size = static_cast<size_t>(length);
  const size_t at = event == Event::kLent ? engine_->lent().take(size) : engine_->inbox().take(size);
  engine_->turn().push({id_, event, static_cast<int32_t>(at), static_cast<int32_t>(length)});
  return size == room.iov_len;
}

bool ConnectionReader::read_to_block(int slot) {
  ReadBlocks& blocks = engine_->blocks();
  const ssize_t length = sys::receive(fd_, blocks.memory(slot), ReadBlocks::kReadSize);
  if (!note_received(length)) return false;
  blocks.take(slot, static_cast<size_t>(length));
  engine_->turn().push({id_, Event::kBlock, slot, static_cast<int32_t>(length)});
  return static_cast<size_t>(length) == ReadBlocks::kReadSize;
}

// Whether a read has returned bytes.
bool ConnectionReader::note_received(ssize_t length) {
  if (!count(length)) return false;
  engine_->heap_top().count(static_cast<size_t>(length));
  const bool is_long = static_cast<size_t>(length) >= ReadBlocks::kLongRead;
  (after_long_ ? long_after_long_ : long_after_short_) = is_long;
  after_long_ = is_long;
  return true;
}

// Returns true if it has read bytes.
bool ConnectionReader::read_into_target() {
  // JavaScript has not seen the buffer's contents yet, although it has requested more.
  if (!may_read() || target_turn_ == engine_->turn().number() + 1) return false;
  const size_t room = std::min<size_t>(target_->size(), INT32_MAX);
  // As libuv does for a buffer without room. A detached one has none either.
  const ssize_t length = room == 0 ? -ENOBUFS : sys::receive(fd_, target_->data(), room);
  if (!count(length)) return false;
  reading_ = false;
  target_turn_ = engine_->turn().number() + 1;
  engine_->turn().push({id_, Event::kInto, 0, static_cast<int32_t>(length)});
  return true;
}

bool ConnectionReader::count(ssize_t length) {
  ++counters_.reads;
  engine_->count_read();
  if (length <= 0) {
    note_no_bytes(length);
    return false;
  }
  counters_.bytes += static_cast<uint64_t>(length);
  received_at_ = uv_now(engine_->loop().uv());
  ++counters_.messages;
  return true;
}

// A read returned no bytes: nothing available, the peer's FIN, or an error.
void ConnectionReader::note_no_bytes(ssize_t length) {
  if (length == -EAGAIN) {
    ++counters_.eagains;
    return;
  }
  state_ = State::kEnded;
  if (length == 0) {
    engine_->turn().report({id_, Event::kEnd, 0, 0});
  } else {
    engine_->turn().report({id_, Event::kReadError, static_cast<int32_t>(length), 0});
  }
}

int ConnectionReader::start_sink(std::unique_ptr<Sink> sink) {
  if (state_ != State::kOpen) return -ENOTCONN;
  if (sink_ || target_) return -EBUSY;
  sink_ = std::move(sink);
  return 0;
}

uint64_t ConnectionReader::stop_sink() {
  if (!sink_) return 0;
  sink_->return_end();
  sink_->stop();
  const uint64_t moved = sink_->moved();
  sink_.reset();
  return moved;
}

}  // namespace nearwire
