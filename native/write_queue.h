// What a connection still has to send: bytes of its own (copied out of the arena when the kernel would not take them),
// parts that JS lends, and ranges of files. Order is the order of writing.
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
  // Up to here it has been found in memory, or been read in.
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

  // Points up to `limit` parts at the queue's head, as far as there is memory; returns how many. `intact` turns false
  // if a lent buffer has lost its bytes: the stream is broken then.
  size_t parts(iovec* into, size_t limit, bool* intact);
  void consume(size_t length);

  // The head, if it is a file's; nullptr for memory.
  QueuedFile* file_at_head() { return empty() ? nullptr : entries_.front().file.get(); }
  // What is left of it.
  FileRange range_at_head() const;
  // Whether a file comes behind the first `parts` entries.
  bool file_follows(size_t parts) const { return parts < entries_.size() && entries_[parts].file != nullptr; }
  // The first bytes of the file at the head, which have been read, take the place of its first `length`. True if it is
  // all of it.
  bool replace_head(std::unique_ptr<char[]> bytes, size_t length);
  // Takes a file back of which nothing has been sent. False: none of it waits, or not all of it.
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
