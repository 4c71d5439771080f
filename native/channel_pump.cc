// What a channel does for the pumps that take its bytes, and bring it others'.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "channel.h"
#include "engine.h"
#include "intake.h"
#include "pump.h"

namespace nearwire {

int Channel::start_intake(std::unique_ptr<Intake> intake) {
  if (state_ != State::kOpen || ended_) return -ENOTCONN;
  if (intake_ || target_) return -EBUSY;
  intake_ = std::move(intake);
  register_later();
  return 0;
}

uint64_t Channel::stop_intake() {
  if (!intake_) return 0;
  intake_->return_end();
  intake_->stop();
  const uint64_t moved = intake_->moved();
  intake_.reset();
  register_later();
  return moved;
}

void Channel::stop_pumps() {
  if (intake_) intake_->stop();
  intake_.reset();
  if (feeder_ != nullptr) feeder_->lose_sink();
}

bool Channel::is_busy() const {
  return queued() > 0 || first_segment >= 0 || drained_turn_ == engine_->turn().number() + 1;
}

void Channel::count_taken(ssize_t length) {
  count_read(length);
  if (length <= 0) note_no_bytes(length);
}

bool Channel::pass_on(const char* bytes, size_t length) {
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

void Channel::keep(const char* bytes, size_t length) {
  if (write_failed_) return;
  if (!queue_) queue_ = std::make_unique<WriteQueue>();
  queue_->append_copy(bytes, length);
  note_blocked();
}

}  // namespace nearwire
