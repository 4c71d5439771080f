// Pipes through which bytes pass from one descriptor to another, kept for reuse: making one costs six times as much as
// taking one from here.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace nearwire {

// Whether a failed splice means that the kernel does not support it with these descriptors, or at all (seccomp returns
// EPERM or ENOSYS). Nothing has been moved then. If the errno means something else, the plain call that follows meets
// the failure again.
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
  // The requested capacity of a pipe. A 64 KiB pipe (the system's default) doubles the system calls of a stream; more
  // than this gains nothing.
  static constexpr size_t kPipeBytes = 256 * 1024;
  // The number kept while unused; beyond it pipes are closed. A pipe is held only while bytes are in it, which is
  // within one wake-up unless a sink is full, so few are in use at once.
  static constexpr size_t kMaxIdle = 16;
  // The maximum in use at once. Each takes two descriptors: sinks that stay full must not use more than one in twenty
  // of the process's descriptors.
  static constexpr size_t kMaxInUse = 1024;

  PipePool();

  // 0, or a negative errno.
  int take(Pipe* pipe);
  // Takes an empty pipe back.
  void give_back(Pipe pipe);
  // Closes a pipe that may hold bytes: no other user may ever read them.
  void throw_away(Pipe pipe);
  void clear() { idle_.clear(); }

 private:
  std::vector<Pipe> idle_;
  size_t in_use_ = 0;
  size_t max_in_use_;
};

}  // namespace nearwire
