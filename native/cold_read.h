// Reading of a file in libuv's thread pool, so that the loop does not wait for a disk. One at a time for each queue,
// and each of a bounded length: a thousand sockets on cold files take turns in the pool's few threads.
//
//   idle --start()--> in progress --(the pool is done)--> idle, and the target is told
//                         \--abandon()--> idle: the job lives on by itself, and nobody is told
#pragma once

#include <sys/types.h>

#include <memory>

#include "file_reference.h"
#include "loop.h"

namespace nearwire {

class ColdRead {
 public:
  class Target {
   public:
    // Bytes of the range that are there now; 0: the file ends before it; or a negative errno. `bytes` holds them if
    // they were asked for.
    virtual void on_cold_read(ssize_t length, std::unique_ptr<char[]> bytes) = 0;

   protected:
    ~Target() = default;
  };

  ColdRead() = default;
  ~ColdRead() { abandon(); }
  ColdRead(const ColdRead&) = delete;
  ColdRead& operator=(const ColdRead&) = delete;

  bool in_progress() const { return job_ != nullptr; }
  // Has the range read: into the page cache, or with `keep` into memory. 0 or a negative errno.
  int start(Loop& loop, Target* target, const FileRange& range, bool keep);
  // The job may be at work in its thread: it keeps what it needs alive, the file too.
  void abandon();

 private:
  struct Job;

  Job* job_ = nullptr;
};

}  // namespace nearwire
