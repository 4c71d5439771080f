// Writes what a connection receives to a file: from the socket into a pipe on the event loop (or into memory, if the
// kernel has no splice or no pipe is available), and from there to the file in libuv's thread pool, because a disk may
// be slow. The two steps alternate, with one job at a time.
//
//   taking --(something taken)--> writing --(written)--> taking
//      \--(limit, end or error of the source)------------> over: JavaScript is told, after the last byte is in the file
//                                   \--(the file fails, or finish() was called)--> over: JavaScript is told
//
// If stopped while writing, it is over when that write has ended: its owner is called then.
#pragma once

#include <functional>
#include <memory>

#include "pipe_pool.h"
#include "sink.h"

namespace nearwire {

class Connection;
class Engine;

class FileSink final : public Sink {
 public:
  // Write at the file's own position, and advance it.
  static constexpr int64_t kAtPosition = -1;

  // Called after the last write of a sink that was stopped during it: with the bytes that are in the file, and 0 or a
  // negative errno.
  using WriteEnd = std::function<void(uint64_t written, int status)>;

  // Takes ownership of `file`.
  FileSink(Engine* engine, Connection* source, int file, int64_t offset, uint64_t limit, WriteEnd write_end);
  ~FileSink() override;

  void run() override;
  bool wants_bytes() const override { return !over_ && job_ == nullptr; }
  void return_end() override;
  void stop() override;
  bool is_writing() const override { return job_ != nullptr; }
  void finish() override;
  uint64_t arrived() const override { return written_; }

 private:
  struct Job;

  ssize_t take(Job* job);
  bool fill(Job* job);
  void write_out(std::unique_ptr<Job> job);
  static void on_done(std::unique_ptr<Job> job);
  void on_written(const Job& job);
  void tell(int status);

  Engine* const engine_;
  Connection* const source_;
  const std::shared_ptr<const int> file_;
  int64_t offset_;
  WriteEnd write_end_;
  // The current job, while it is in the pool.
  Job* job_ = nullptr;
  uint64_t written_ = 0;
  // What the source returned after the last bytes; 1: nothing yet.
  ssize_t source_end_ = 1;
  bool splices_ = true;
  bool over_ = false;
  bool finishing_ = false;
};

}  // namespace nearwire
