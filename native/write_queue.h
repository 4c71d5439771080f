// What a connection still has to send: bytes of its own (copied out of the arena when the kernel did not take them),
// parts that JavaScript lends, and ranges of files, in the order of writing.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <memory>

#include "file_reference.h"
#include "slab.h"

namespace nearwire {

// A range of a file that waits to be sent.
struct QueuedFile {
  std::shared_ptr<FileReference> file;
  // Up to here the file has been found in memory, or has been read in.
  uint64_t warm_until = 0;
  // Some of it has left the queue.
  bool begun = false;
  // The kernel does not send it by reference.
  bool by_copy = false;
};

class WriteQueue {
 public:
  bool empty() const { return entries_.empty(); }
  size_t bytes() const { return bytes_; }

  void append_copy(const char* bytes, size_t length);
  void append_lent(std::unique_ptr<HeldMemory> memory, size_t offset, size_t length);
  void append_file(FileRange range);

  // Points to up to `limit` parts at the queue's head, as long as they are in memory; returns their number. `intact`
  // becomes false if a lent buffer has lost its bytes: the stream is broken then.
  size_t parts(iovec* into, size_t limit, bool* intact);
  void consume(size_t length);

  // The head, if it is a file; nullptr for memory.
  QueuedFile* file_at_head() { return empty() ? nullptr : entries_.front().file.get(); }
  // The part of that file that is still to be sent.
  FileRange range_at_head() const;
  // Whether a file follows the first `parts` entries.
  bool file_follows(size_t parts) const { return parts < entries_.size() && entries_[parts].file != nullptr; }
  // Replaces the first `length` bytes of the file at the head by bytes that have been read. Returns true if that is all
  // of it.
  bool replace_head(std::unique_ptr<char[]> bytes, size_t length);
  // Withdraws a file of which nothing has been sent. Returns false if it is not queued, or has been started.
  bool withdraw(const FileReference* file);

 private:
  struct Entry {
    std::unique_ptr<char[]> copy;
    std::unique_ptr<HeldMemory> lent;
    std::unique_ptr<QueuedFile> file;
    uint64_t offset;
    uint64_t length;
  };

  std::deque<Entry> entries_;
  size_t bytes_ = 0;
};

}  // namespace nearwire
