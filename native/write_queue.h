// What a channel still has to send: bytes of its own (copied out of the arena when the kernel would not take them) and
// parts that JS lends. Order is the order of writing.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "slab.h"

namespace nearwire {

class WriteQueue {
 public:
  bool empty() const { return first_ == entries_.size(); }
  size_t bytes() const { return bytes_; }

  void append_copy(const char* bytes, size_t length);
  void append_lent(std::unique_ptr<HeldMemory> memory, size_t offset, size_t length);

  // Points up to `limit` parts at the queue's head; returns how many. `intact` turns false if a lent buffer has lost
  // its bytes: the stream is broken then.
  size_t parts(iovec* into, size_t limit, bool* intact);
  void consume(size_t length);
  void clear();

 private:
  struct Entry {
    std::unique_ptr<char[]> copy;
    std::unique_ptr<HeldMemory> lent;
    size_t offset;
    size_t length;
  };

  std::vector<Entry> entries_;
  size_t first_ = 0;
  size_t bytes_ = 0;
};

}  // namespace nearwire
