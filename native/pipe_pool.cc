#include "pipe_pool.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "check.h"
#include "sys.h"

namespace nearwire {

bool is_splice_refusal(ssize_t result) {
  return result == -EINVAL || result == -ENOSYS || result == -EPERM || result == -EOPNOTSUPP;
}

Pipe& Pipe::operator=(Pipe&& other) noexcept {
  if (this == &other) return *this;
  close();
  for (int i = 0; i < 2; ++i) ends_[i] = std::exchange(other.ends_[i], -1);
  return *this;
}

int Pipe::open(size_t wanted_capacity) {
  const int error = sys::open_pipe(ends_);
  if (error < 0) return error;
  // An unprivileged user has a limited number of pages in pipes; beyond it the pipe keeps its smaller size, and works.
  sys::set_pipe_size(ends_[1], wanted_capacity);
  return 0;
}

void Pipe::close() {
  for (int& end : ends_) {
    if (end >= 0) sys::close_descriptor(std::exchange(end, -1));
  }
}

PipePool::PipePool() {
  constexpr size_t kShare = 20;
  constexpr size_t kEnds = 2;
  max_in_use_ = std::min(kMaxInUse, sys::descriptor_limit() / kShare / kEnds);
}

int PipePool::take(Pipe* pipe) {
  NEARWIRE_CHECK(!pipe->is_open());
  if (in_use_ >= max_in_use_) return -EMFILE;
  if (idle_.empty()) {
    const int error = pipe->open(kPipeBytes);
    if (error < 0) return error;
  } else {
    *pipe = std::move(idle_.back());
    idle_.pop_back();
  }
  ++in_use_;
  return 0;
}

void PipePool::give_back(Pipe pipe) {
  NEARWIRE_CHECK(pipe.is_open() && in_use_ > 0);
  --in_use_;
  if (idle_.size() < std::min(kMaxIdle, max_in_use_)) idle_.push_back(std::move(pipe));
}

void PipePool::throw_away(Pipe pipe) {
  NEARWIRE_CHECK(pipe.is_open() && in_use_ > 0);
  --in_use_;
  pipe.close();
}

}  // namespace nearwire
