#include "write_queue.h"

#include <cstring>
#include <utility>

#include "check.h"

namespace nearwire {

void WriteQueue::append_copy(const char* bytes, size_t length) {
  if (length == 0) return;
  Entry entry{std::unique_ptr<char[]>(new char[length]), nullptr, 0, length};
  memcpy(entry.copy.get(), bytes, length);
  entries_.push_back(std::move(entry));
  bytes_ += length;
}

void WriteQueue::append_lent(std::unique_ptr<HeldMemory> memory, size_t offset, size_t length) {
  if (length == 0) return;
  entries_.push_back({nullptr, std::move(memory), offset, length});
  bytes_ += length;
}

size_t WriteQueue::parts(iovec* into, size_t limit, bool* intact) {
  *intact = true;
  size_t count = 0;
  for (size_t i = first_; i < entries_.size() && count < limit; ++i, ++count) {
    Entry& entry = entries_[i];
    char* base = entry.copy.get();
    if (entry.lent) {
      if (entry.lent->size() < entry.offset + entry.length) {
        *intact = false;
        return 0;
      }
      base = entry.lent->data();
    }
    into[count] = {base + entry.offset, entry.length};
  }
  return count;
}

void WriteQueue::consume(size_t length) {
  NEARWIRE_CHECK(length <= bytes_);
  bytes_ -= length;
  while (length > 0) {
    Entry& entry = entries_[first_];
    if (length < entry.length) {
      entry.offset += length;
      entry.length -= length;
      return;
    }
    length -= entry.length;
    entry = Entry{nullptr, nullptr, 0, 0};
    ++first_;
  }
  if (empty()) clear();
}

void WriteQueue::clear() {
  // Gives the memory back: most channels are never blocked again.
  std::vector<Entry>().swap(entries_);
  first_ = 0;
  bytes_ = 0;
}

}  // namespace nearwire
