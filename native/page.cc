#include "page.h"

#include <atomic>
#include <cerrno>
#include <utility>

#include "sys.h"

namespace nearwire {

namespace {

// Plain counters: no other memory is ordered by them.
std::atomic<uint64_t> living_pages{0};
std::atomic<uint64_t> living_bytes{0};

}  // namespace

PageShare::Totals PageShare::totals() {
  return {living_pages.load(std::memory_order_relaxed), living_bytes.load(std::memory_order_relaxed)};
}

PageShare::~PageShare() {
  if (bytes_ == 0) return;
  living_bytes.fetch_sub(bytes_, std::memory_order_relaxed);
  living_pages.fetch_sub(1, std::memory_order_relaxed);
}

int PageShare::add(uint64_t bytes, uint64_t limit) {
  if (bytes == 0) return 0;
  uint64_t before = living_bytes.load(std::memory_order_relaxed);
  do {
    if (before > limit || bytes > limit - before) return -EDQUOT;
  } while (!living_bytes.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
  if (bytes_ == 0) living_pages.fetch_add(1, std::memory_order_relaxed);
  bytes_ += bytes;
  return 0;
}

PageMapping::~PageMapping() { sys::unmap(at_, size_); }

Page::~Page() {
  if (fd_ >= 0) sys::close_descriptor(fd_);
}

int Page::open() {
  if (fd() >= 0) return -EALREADY;
  const int made = sys::create_memory_file("nearwire-page");
  if (made < 0) return made;
  fd_ = made;
  return 0;
}

// Written, not copied into a mapping: a MiB takes 160 us this way, and 400 us the other, which causes a page fault per
// 4 KiB.
int Page::append(const void* bytes, size_t length) {
  if (fd_ < 0) return -EBADF;
  const auto* from = static_cast<const char*>(bytes);
  while (length > 0) {
    const ssize_t written = sys::write_at(fd_, from, length, static_cast<int64_t>(size_));
    if (written < 0) return static_cast<int>(written);
    if (written == 0) return -EIO;
    from += written;
    length -= static_cast<size_t>(written);
    size_ += static_cast<size_t>(written);
  }
  return 0;
}

int Page::read(void* into, size_t length) const {
  if (fd() < 0 || length > size_) return -EBADF;
  auto* to = static_cast<char*>(into);
  for (size_t done = 0; done < length;) {
    const ssize_t got = sys::read_at(fd(), to + done, length - done, done);
    if (got < 0) return static_cast<int>(got);
    if (got == 0) return -EIO;
    done += static_cast<size_t>(got);
  }
  return 0;
}

int Page::seal() {
  if (file_) return 0;
  if (fd_ < 0) return -EBADF;
  const int error = sys::seal(fd_);
  if (error < 0) return error;
  file_ = std::make_unique<FileReference>(std::exchange(fd_, -1), size_, true);
  return 0;
}

int Page::map(std::unique_ptr<PageMapping>* made) const {
  if (fd() < 0) return -EBADF;
  void* at = nullptr;
  const int error = sys::map_private(fd(), size_, &at);
  if (error == 0) *made = std::make_unique<PageMapping>(at, size_, share_);
  return error;
}

std::shared_ptr<FileReference> Page::file(const std::shared_ptr<Page>& page) { return {page, page->file_.get()}; }

}  // namespace nearwire
