// Pipes that bytes pass through on their way from one descriptor to another, kept for use again: making one costs six
// times as much as taking it from here.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace nearwire {

// Whether a failed splice says that the kernel does not do it with these descriptors, or not at all (seccomp answers
// EPERM or ENOSYS). Nothing has moved then. What stands for something else is met again by the plain call that follows.
bool is_splice_refusal(ssize_t result);

// Both ends of one pipe, non-blocking. Closes them.
class Pipe {
 public:
  Pipe() = default;
  ~Pipe() { close(); }
  Pipe(Pipe&& other) noexcept { *this = static_cast<Pipe&&>(other); }
  Pipe& operator=(Pipe&& other) noexcept;

  // 0, or a negative errno. -ENOSYS: bytes cannot be moved through pipes here.
  int open(size_t wanted_capacity);
  bool is_open() const { return ends_[0] >= 0; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close();

 private:
  int ends_[2] = {-1, -1};
};

class PipePool {
 public:
  // What one pipe is asked to hold. A 64 KiB pipe (the system's default) doubles the system calls of a stream; more
  // than this pays no more.
  static constexpr size_t kPipeBytes = 256 * 1024;
  // Kept while nobody uses them; beyond that they are closed. Pipes are held for as long as bytes stand in them, which
  // is within one wake-up unless a sink is full: few are in use at once.
  static constexpr size_t kMaxIdle = 16;
  // In use at once. Each is two descriptors: sinks that stay full must have no more than one in twenty of those that
  // the process may have.
  static constexpr size_t kMaxInUse = 1024;

  PipePool();

  // 0, or a negative errno.
  int take(Pipe* pipe);
  // Takes an empty pipe back.
  void give_back(Pipe pipe);
  // Closes one that may hold bytes: nobody else must ever read them.
  void throw_away(Pipe pipe);
  void clear() { idle_.clear(); }

 private:
  std::vector<Pipe> idle_;
  size_t in_use_ = 0;
  size_t max_in_use_;
};

}  // namespace nearwire
