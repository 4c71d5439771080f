// What a connection receives goes to a file: from the socket into a pipe on the loop (or into memory, where the kernel
// has no splice or no pipe is to be had), from there to the file in libuv's thread pool, since a disk may be slow. In
// turns, with one job at a time.
//
//   taking --(something taken)--> writing --(written)--> taking
//      \--(limit, end or error of the source)-------------> over: JS is told, after the last byte is in the file
//                                   \--(the file fails, or finish() was called)--> over: JS is told
//
// Stopped while it is writing, it is over when that has come to its end: its owner is called then.
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
  // Writes at the file's own position, and moves it.
  static constexpr int64_t kAtPosition = -1;

  // Told of the last write of an sink that was stopped while it was under way: bytes that are in the file, and 0 or a
  // negative errno.
  using WriteEnd = std::function<void(uint64_t written, int status)>;

  // Takes over `file`.
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
  // What is being written, in the pool's hands.
  Job* job_ = nullptr;
  uint64_t written_ = 0;
  // What the source met behind the last bytes; 1: nothing yet.
  ssize_t source_end_ = 1;
  bool splices_ = true;
  bool over_ = false;
  bool finishing_ = false;
};

}  // namespace nearwire
