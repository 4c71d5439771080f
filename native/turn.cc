#include "turn.h"

#include <algorithm>

#include "check.h"

namespace nearwire {

namespace {

bool is_read(Event event) { return event == Event::kInbox || event == Event::kBlock || event == Event::kLent; }

}  // namespace

int Turn::open(Loop& loop, Phases* phases) {
  loop_ = &loop;
  phases_ = phases;
  int error = prepare_.open(loop, this, [&](uv_prepare_t* handle) { return uv_prepare_init(loop.uv(), handle); });
  if (error == 0) error = check_.open(loop, this, [&](uv_check_t* handle) { return uv_check_init(loop.uv(), handle); });
  if (error == 0) error = idle_.open(loop, this, [&](uv_idle_t* handle) { return uv_idle_init(loop.uv(), handle); });
  if (error == 0) error = spin_.open(loop);
  if (error < 0) return error;
  uv_prepare_start(prepare_.get(), [](uv_prepare_t* handle) { static_cast<Turn*>(handle->data)->prepare(); });
  uv_check_start(check_.get(), [](uv_check_t* handle) { static_cast<Turn*>(handle->data)->check(); });
  // Only sockets and pending completions keep the event loop alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(prepare_.get()));
  uv_unref(reinterpret_cast<uv_handle_t*>(check_.get()));
  return 0;
}

void Turn::close() {
  prepare_.close();
  check_.close();
  idle_.close();
  spin_.close();
}

void Turn::push(const Completion& completion) {
  NEARWIRE_CHECK(polling_ && count_ < kCapacity);
  completions_[count_++] = completion;
}

void Turn::post(const Completion& completion) {
  posted_.push_back(completion);
  wake();
}

void Turn::report(const Completion& completion) {
  if (polling_ && posted_.empty() && count_ < kCapacity) {
    push(completion);
  } else {
    post(completion);
  }
}

void Turn::withdraw(int32_t id) {
  std::erase_if(posted_, [id](const Completion& completion) { return completion.id == id; });
}

bool Turn::holds(int32_t id, Event event) const {
  const auto is_it = [&](const Completion& completion) { return completion.id == id && completion.event == event; };
  return std::any_of(completions_, completions_ + count_, is_it) || std::any_of(posted_.begin(), posted_.end(), is_it);
}

std::vector<Completion> Turn::take_last_reads(int32_t id, uint64_t bytes) {
  std::vector<Completion> taken;
  for (size_t i = count_; i > 0 && bytes > 0; --i) {
    Completion& completion = completions_[i - 1];
    if (completion.id != id || !is_read(completion.event)) continue;
    NEARWIRE_CHECK(static_cast<uint64_t>(completion.b) <= bytes);
    bytes -= static_cast<uint64_t>(completion.b);
    taken.insert(taken.begin(), completion);
    completion.id = kNobody;
  }
  NEARWIRE_CHECK(bytes == 0);
  return taken;
}

std::vector<int32_t> Turn::take_accepted(int32_t listener) {
  std::vector<int32_t> taken;
  for (Completion* completion = completions_; completion < completions_ + count_; ++completion) {
    if (completion->id != listener || completion->event != Event::kAccept) continue;
    taken.push_back(completion->a);
    completion->id = kNobody;
  }
  return taken;
}

void Turn::wake() {
  if (awake_ || !idle_.is_open()) return;
  awake_ = true;
  // An active idle handle makes the event loop poll without blocking, and keeps it alive until then.
  uv_idle_start(idle_.get(), [](uv_idle_t*) {});
}

int Turn::call_when_closing() {
  LoopHandle<uv_idle_t> handle;
  const int error = handle.open(*loop_, this, [&](uv_idle_t* idle) { return uv_idle_init(loop_->uv(), idle); });
  if (error < 0) return error;
  handle.close([this] { phases_->closing(); });
  return 0;
}

void Turn::prepare() {
  phases_->before_poll();
  in_progress_ = true;
  const size_t count = std::min(posted_.size(), kCapacity - count_);
  std::copy_n(posted_.begin(), count, completions_ + count_);
  posted_.erase(posted_.begin(), posted_.begin() + static_cast<std::ptrdiff_t>(count));
  count_ += count;
  // During a delivery, some of these may not have been dispatched yet.
  if (delivering_ > 0 && count_ > 0) wake();
  if (awake_ && count_ == 0) {
    awake_ = false;
    uv_idle_stop(idle_.get());
  }
  polling_ = true;
}

void Turn::check() {
  polling_ = false;
  if (awake_ && posted_.empty()) {
    awake_ = false;
    uv_idle_stop(idle_.get());
  }
  const bool had_completions = count_ > 0;
  if (had_completions || demanded_) {
    demanded_ = false;
    ++number_;
    ++delivering_;
    phases_->deliver(count_);
    --delivering_;
    count_ = 0;
  }
  // The call may have torn down the environment.
  if (!check_.is_open()) return;
  if (delivering_ > 0) {
    phases_->after_nested_turn();
    return;
  }
  phases_->after_turn();
  spin_.after_poll(had_completions);
  in_progress_ = false;
}

}  // namespace nearwire
