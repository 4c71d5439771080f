// What a connection does for the splices that take its bytes, and bring it others'.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "connection.h"
#include "engine.h"
#include "sink.h"
#include "splice.h"

namespace nearwire {

int Connection::start_sink(std::unique_ptr<Sink> sink) {
  if (state_ != State::kOpen || ended_) return -ENOTCONN;
  if (sink_ || target_) return -EBUSY;
  sink_ = std::move(sink);
  register_later();
  return 0;
}

uint64_t Connection::stop_sink() {
  if (!sink_) return 0;
  sink_->return_end();
  sink_->stop();
  const uint64_t moved = sink_->moved();
  sink_.reset();
  register_later();
  return moved;
}

void Connection::stop_splices() {
  if (sink_) sink_->stop();
  sink_.reset();
  if (feeder_ != nullptr) feeder_->lose_target();
}

bool Connection::is_busy() const {
  return queued() > 0 || first_segment >= 0 || drained_turn_ == engine_->turn().number() + 1;
}

void Connection::count_taken(ssize_t length) {
  count_read(length);
  if (length <= 0) note_no_bytes(length);
}

bool Connection::pass_on(const char* bytes, size_t length) {
  if (queued() > 0) {
    keep(bytes, length);
    return true;
  }
  const iovec part{const_cast<char*>(bytes), length};
  const ssize_t sent = send_counted(&part, 1, length, false);
  if (sent < 0 && sent != -EAGAIN) {
    break_writing(static_cast<int>(sent));
    return false;
  }
  const auto taken = static_cast<size_t>(std::max<ssize_t>(sent, 0));
  if (taken < length) keep(bytes + taken, length - taken);
  return true;
}

void Connection::keep(const char* bytes, size_t length) {
  if (write_failed_) return;
  if (!queue_) queue_ = std::make_unique<WriteQueue>();
  queue_->append_copy(bytes, length);
  wait_for_room();
}

}  // namespace nearwire
