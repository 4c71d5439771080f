// Files that are sent by reference. Queues share them; JS names them by small integers, as it names connections.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace nearwire {

// One open file: closed when the last queue entry that sends from it is through, and JS has let go of it.
class FileReference {
 public:
  // The size of what has none: a block device's is not asked for.
  static constexpr uint64_t kUnknownSize = UINT64_MAX;

  // Takes the descriptor over. `in_memory`: a page (see page.h). No disk is behind it, and nothing needs to be
  // looked for.
  FileReference(int fd, uint64_t size, bool in_memory, int64_t modified = 0)
      : fd_(fd), size_(size), in_memory_(in_memory), modified_(modified) {}
  ~FileReference();
  FileReference(const FileReference&) = delete;
  FileReference& operator=(const FileReference&) = delete;

  // A regular file or block device, from another descriptor of the same open file. 0 or a negative errno. -EISDIR,
  // -ESPIPE: not that kind of file; -EBADF: not open for reading.
  static int of_descriptor(int fd, std::shared_ptr<FileReference>* made);
  // Opens it if that needs no disk; -EAGAIN where it may need one.
  static int of_cached_path(const char* path, std::shared_ptr<FileReference>* made);

  int fd() const { return fd_; }
  // In bytes, when it was opened.
  uint64_t size() const { return size_; }
  bool in_memory() const { return in_memory_; }
  // Seconds since 1970, when it was opened; 0 for what has no such time.
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

// The files that JS holds, by id.
class FileTable {
 public:
  int32_t add(std::shared_ptr<FileReference> file);
  // nullptr for an id that is nobody's.
  std::shared_ptr<FileReference> get(int32_t id) const;
  void remove(int32_t id);
  void clear();

 private:
  std::vector<std::shared_ptr<FileReference>> files_;
  std::vector<int32_t> free_;
};

}  // namespace nearwire
