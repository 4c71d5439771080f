// Reads a file in libuv's thread pool, so that the event loop does not wait for a disk. One read at a time per queue,
// each of a bounded length: a thousand sockets on uncached files share the pool's few threads.
//
//   idle --start()--> in progress --(the pool is done)--> idle, and the target is called
//                         \--abandon()--> idle: the job finishes by itself, and no target is called
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
    // Bytes of the range that are available now; 0: the file ends before it; or a negative errno. `bytes` holds them if
    // they were requested.
    virtual void on_cold_read(ssize_t length, std::unique_ptr<char[]> bytes) = 0;

   protected:
    ~Target() = default;
  };

  ColdRead() = default;
  ~ColdRead() { abandon(); }
  ColdRead(const ColdRead&) = delete;
  ColdRead& operator=(const ColdRead&) = delete;

  bool in_progress() const { return job_ != nullptr; }
  // Reads the range: into the page cache, or with `keep` into memory. 0 or a negative errno.
  int start(Loop& loop, Target* target, const FileRange& range, bool keep);
  // The job may be running on its thread: it keeps alive what it needs, including the file.
  void abandon();

 private:
  struct Job;

  Job* job_ = nullptr;
};

}  // namespace nearwire
