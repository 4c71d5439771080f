// Bodies that are sent by reference, any number of times: files in memory, sealed once they are complete.
//
//   new --open()--> filling --seal()--> sealed
//
// A page that stays new has no memory of its own: it accounts for a body in JavaScript's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "file_reference.h"

namespace nearwire {

// A page's share of the total of this process's living pages. All environments count together, and this count is the
// only thing that they share: memory belongs to the process, and a limit per worker would not limit it.
class PageShare {
 public:
  struct Totals {
    uint64_t pages;
    uint64_t bytes;
  };
  static Totals totals();

  PageShare() = default;
  ~PageShare();
  PageShare(const PageShare&) = delete;
  PageShare& operator=(const PageShare&) = delete;

  // Call before allocating. -EDQUOT: the process would exceed `limit`.
  int add(uint64_t bytes, uint64_t limit);

 private:
  uint64_t bytes_ = 0;
};

// A mapping of a page. Writes go to a private copy. It needs no descriptor, and may outlive its page.
class PageMapping {
 public:
  PageMapping(void* at, size_t size, std::shared_ptr<PageShare> share)
      : at_(at), size_(size), share_(std::move(share)) {}
  ~PageMapping();
  PageMapping(const PageMapping&) = delete;
  PageMapping& operator=(const PageMapping&) = delete;

  void* at() const { return at_; }
  size_t size() const { return size_; }

 private:
  void* at_;
  size_t size_;
  std::shared_ptr<PageShare> share_;
};

class Page {
 public:
  Page() = default;
  ~Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  PageShare& share() { return *share_; }
  int open();
  // After a negative errno the page is unusable.
  int append(const void* bytes, size_t length);
  // Copies the first `length` bytes.
  int read(void* into, size_t length) const;
  // Makes it immutable: what the kernel has been lent stays as it is.
  int seal();
  int map(std::unique_ptr<PageMapping>* made) const;
  // The file that queues send from, which keeps the page alive; nullptr before it is sealed.
  static std::shared_ptr<FileReference> file(const std::shared_ptr<Page>& page);

 private:
  int fd() const { return file_ ? file_->fd() : fd_; }

  std::shared_ptr<PageShare> share_ = std::make_shared<PageShare>();
  // The descriptor is in fd_ while the page is being filled, and in file_ afterwards.
  int fd_ = -1;
  std::unique_ptr<FileReference> file_;
  size_t size_ = 0;
};

}  // namespace nearwire
