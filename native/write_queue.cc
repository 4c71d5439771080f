#include "write_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "check.h"
#include "sys.h"

namespace nearwire {

void WriteQueue::append_copy(const char* bytes, size_t length) {
  if (length == 0) return;
  Entry entry{std::unique_ptr<char[]>(new char[length]), nullptr, nullptr, 0, length};
  memcpy(entry.copy.get(), bytes, length);
  entries_.push_back(std::move(entry));
  bytes_ += length;
}

void WriteQueue::append_lent(std::unique_ptr<HeldMemory> memory, size_t offset, size_t length) {
  if (length == 0) return;
  entries_.push_back({nullptr, std::move(memory), nullptr, offset, length});
  bytes_ += length;
}

void WriteQueue::append_file(FileRange range) {
  if (range.length == 0) return;
  auto file = std::make_unique<QueuedFile>();
  file->file = std::move(range.file);
  file->by_copy = !sys::kSendsFiles;
  entries_.push_back({nullptr, nullptr, std::move(file), range.offset, range.length});
  bytes_ += range.length;
}

size_t WriteQueue::parts(iovec* into, size_t limit, bool* intact) {
  *intact = true;
  size_t count = 0;
  for (auto entry = entries_.begin(); entry != entries_.end() && count < limit && !entry->file; ++entry, ++count) {
    char* base = entry->copy.get();
    if (entry->lent) {
      if (entry->lent->size() < entry->offset + entry->length) {
        *intact = false;
        return 0;
      }
      base = entry->lent->data();
    }
    into[count] = {base + entry->offset, entry->length};
  }
  return count;
}

void WriteQueue::consume(size_t length) {
  NEARWIRE_CHECK(length <= bytes_);
  bytes_ -= length;
  while (length > 0) {
    Entry& entry = entries_.front();
    if (entry.file) entry.file->begun = true;
    if (length < entry.length) {
      entry.offset += length;
      entry.length -= length;
      return;
    }
    length -= entry.length;
    entries_.pop_front();
  }
}

FileRange WriteQueue::range_at_head() const {
  const Entry& entry = entries_.front();
  return {entry.file->file, entry.offset, entry.length};
}

bool WriteQueue::replace_head(std::unique_ptr<char[]> bytes, size_t length) {
  Entry& entry = entries_.front();
  NEARWIRE_CHECK(entry.file && length > 0 && length <= entry.length);
  entry.file->begun = true;
  entry.offset += length;
  entry.length -= length;
  const bool whole = entry.length == 0;
  if (whole) entries_.pop_front();
  entries_.push_front({std::move(bytes), nullptr, nullptr, 0, length});
  return whole;
}

bool WriteQueue::withdraw(const FileReference* file) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [file](const Entry& entry) {
    return entry.file && entry.file->file.get() == file && !entry.file->begun;
  });
  if (found == entries_.end()) return false;
  bytes_ -= found->length;
  entries_.erase(found);
  return true;
}

}  // namespace nearwire
