// Files that are sent by reference. Queues share them; JavaScript names them by small integers, like connections.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace nearwire {

// One open file, closed once the last queue entry that sends from it is done and JavaScript has released it.
class FileReference {
 public:
  // The size of a file without one: that of a block device is not queried.
  static constexpr uint64_t kUnknownSize = UINT64_MAX;

  // Takes ownership of the descriptor. `in_memory`: a page (see page.h), which has no disk behind it and needs no
  // residency check.
  FileReference(int fd, uint64_t size, bool in_memory, int64_t modified = 0)
      : fd_(fd), size_(size), in_memory_(in_memory), modified_(modified) {}
  ~FileReference();
  FileReference(const FileReference&) = delete;
  FileReference& operator=(const FileReference&) = delete;

  // A regular file or block device, through a new descriptor of the same open file. 0 or a negative errno. -EISDIR,
  // -ESPIPE: not that kind of file; -EBADF: not open for reading.
  static int of_descriptor(int fd, std::shared_ptr<FileReference>* made);
  // Opens it if that needs no disk access; -EAGAIN if it may need one.
  static int of_cached_path(const char* path, std::shared_ptr<FileReference>* made);

  int fd() const { return fd_; }
  // In bytes, at the time of opening.
  uint64_t size() const { return size_; }
  bool in_memory() const { return in_memory_; }
  // Seconds since 1970, at the time of opening; 0 if unknown.
  int64_t modified() const { return modified_; }

 private:
  static int take(int fd, std::shared_ptr<FileReference>* made);

  const int fd_;
  const uint64_t size_;
  const bool in_memory_;
  const int64_t modified_;
};

struct FileRange {
  std::shared_ptr<FileReference> file;
  uint64_t offset = 0;
  uint64_t length = 0;
};

// The files that JavaScript holds, by id.
class FileTable {
 public:
  int32_t add(std::shared_ptr<FileReference> file);
  // nullptr for an unused id.
  std::shared_ptr<FileReference> get(int32_t id) const;
  void remove(int32_t id);
  void clear();

 private:
  std::vector<std::shared_ptr<FileReference>> files_;
  std::vector<int32_t> free_;
};

}  // namespace nearwire
