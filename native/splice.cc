#include "splice.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "check.h"
#include "connection.h"
#include "engine.h"
#include "sys.h"

namespace nearwire {

Splice::Splice(Engine* engine, Connection* source, Connection* target, uint64_t limit)
    : Sink(limit), engine_(engine), source_(source), target_(target) {
  target_->set_feeder(this);
}

Splice::~Splice() {
  if (target_ != nullptr) target_->set_feeder(nullptr);
  if (pipe_.is_open()) engine_->pipes().throw_away(std::move(pipe_));
}

void Splice::run() {
  const uint64_t enough = moved_ + kBytesPerTurn;
  while (!over_) {
    if (target_->is_busy()) {
      waits_ = true;
      break;
    }
    if (held_ > 0 && !drain()) break;
    if (over_ || moved_ >= enough || !fill()) break;
  }
  if (held_ == 0 && pipe_.is_open()) release_pipe();
  source_->update_interest();
  if (target_ != nullptr) target_->update_interest();
}

void Splice::on_room() {
  waits_ = false;
  target_->end_wait_for_room();
  run();
}

// Returns true if there may be more to take or to pass on.
bool Splice::fill() {
  if (left() == 0) {
    over_ = true;
    engine_->turn().report({source_->id(), Event::kTaken, 0, 0});
    return false;
  }
  const size_t most = static_cast<size_t>(std::min<uint64_t>(left(), PipePool::kPipeBytes));
  const ssize_t length = take(most);
  if (length > 0) return true;
  if (length != -EAGAIN) over_ = true;
  return false;
}

ssize_t Splice::take(size_t most) {
  if (!splices_ || (!pipe_.is_open() && engine_->pipes().take(&pipe_) < 0)) return copy(most);
  const ssize_t length = sys::move_bytes(source_->fd(), pipe_.write_end(), nullptr, most);
  if (is_splice_refusal(length)) {
    splices_ = false;
    return copy(most);
  }
  note_taken(length, true);
  return length;
}

void Splice::note_taken(ssize_t length, bool into_pipe) {
  source_->count_taken(length);
  if (length <= 0) return;
  moved_ += static_cast<uint64_t>(length);
  if (into_pipe) held_ += static_cast<size_t>(length);
  touch();
}

ssize_t Splice::copy(size_t most) {
  const iovec scratch = engine_->scratch();
  const ssize_t length = sys::receive(source_->fd(), scratch.iov_base, std::min(most, scratch.iov_len));
  note_taken(length, false);
  if (length > 0 && !target_->pass_on(static_cast<const char*>(scratch.iov_base), static_cast<size_t>(length))) {
    over_ = true;
  }
  return length;
}

// Passes the pipe's content to the target. Returns true if it took everything.
bool Splice::drain() {
  const ssize_t sent = sys::move_bytes(pipe_.read_end(), target_->fd(), nullptr, held_);
  if (is_splice_refusal(sent)) {
    splices_ = false;
    rescue();
    // Queued bytes go before anything that is taken from now on.
    waits_ = true;
    return false;
  }
  target_->count_sent(sent, held_);
  if (sent < 0 && sent != -EAGAIN) {
    over_ = true;
    target_->break_writing(static_cast<int>(sent));
    return false;
  }
  if (sent > 0) {
    held_ -= static_cast<size_t>(sent);
    touch();
  }
  if (held_ == 0) return true;
  // As after a partial send, another call now would only return EAGAIN.
  waits_ = true;
  target_->wait_for_room();
  return false;
}

// Moves the pipe's content into the target's queue.
void Splice::rescue() {
  const iovec scratch = engine_->scratch();
  while (held_ > 0) {
    const ssize_t length = sys::read_bytes(pipe_.read_end(), scratch.iov_base, std::min(held_, scratch.iov_len));
    NEARWIRE_CHECK(length > 0);
    if (length <= 0) break;
    held_ -= static_cast<size_t>(length);
    target_->keep(static_cast<const char*>(scratch.iov_base), static_cast<size_t>(length));
  }
}

void Splice::hand_over() {
  if (held_ == 0) return;
  rescue();
  if (held_ == 0) release_pipe();
}

void Splice::lose_target() {
  over_ = true;
  // The pipe may hold bytes, so it is closed as well.
  if (pipe_.is_open()) engine_->pipes().throw_away(std::move(pipe_));
  held_ = 0;
  std::exchange(target_, nullptr)->set_feeder(nullptr);
}

void Splice::stop() {
  if (target_ != nullptr) hand_over();
  over_ = true;
}

void Splice::release_pipe() { engine_->pipes().give_back(std::move(pipe_)); }

}  // namespace nearwire
