#include "file_reference.h"

#include <utility>

#include "sys.h"

namespace nearwire {

FileReference::~FileReference() { sys::close_descriptor(fd_); }

int FileReference::take(int fd, std::shared_ptr<FileReference>* made) {
  if (fd < 0) return fd;
  uint64_t size = kUnknownSize;
  int64_t modified = 0;
  const int error = sys::file_size(fd, &size, &modified);
  if (error < 0) {
    sys::close_descriptor(fd);
    return error;
  }
  *made = std::make_shared<FileReference>(fd, size, false, modified);
  return 0;
}

int FileReference::of_descriptor(int fd, std::shared_ptr<FileReference>* made) {
  return take(sys::duplicate(fd), made);
}

int FileReference::of_cached_path(const char* path, std::shared_ptr<FileReference>* made) {
  return take(sys::open_cached(path), made);
}

int32_t FileTable::add(std::shared_ptr<FileReference> file) {
  if (free_.empty()) {
    files_.push_back(std::move(file));
    return static_cast<int32_t>(files_.size() - 1);
  }
  const int32_t id = free_.back();
  free_.pop_back();
  files_[static_cast<size_t>(id)] = std::move(file);
  return id;
}

std::shared_ptr<FileReference> FileTable::get(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= files_.size()) return nullptr;
  return files_[static_cast<size_t>(id)];
}

void FileTable::remove(int32_t id) {
  if (get(id) == nullptr) return;
  files_[static_cast<size_t>(id)].reset();
  free_.push_back(id);
}

void FileTable::clear() {
  files_.clear();
  free_.clear();
}

}  // namespace nearwire
