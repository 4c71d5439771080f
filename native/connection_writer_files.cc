// The part of a writer that sends files and pages: by sendfile, or copied if the kernel refuses that.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "check.h"
#include "connection_writer.h"
#include "engine.h"
#include "sys.h"

namespace nearwire {

namespace {

// A file is checked for being in memory, read in and sent in pieces of this size...
constexpr uint64_t kFileWindow = 1024 * 1024;
// ... and of this size when it is copied: that fits into the processor's cache.
constexpr uint64_t kCopyWindow = 256 * 1024;

// Errors of sendfile that concern the file, the file system or a sandbox, not the connection.
bool is_refusal(ssize_t error) {
  return error == -EINVAL || error == -ENOSYS || error == -EPERM || error == -EACCES || error == -EOPNOTSUPP ||
         error == -ESPIPE || error == -EOVERFLOW || error == -ENOMEM;
}

}  // namespace

void ConnectionWriter::count_file(bool copied) {
  ++counters_.files;
  if (copied) ++counters_.files_copied;
  engine_->count_file(copied);
}

void ConnectionWriter::count_range(const FileReference& file, size_t bytes, bool whole, bool by_reference) {
  if (file.in_memory()) {
    engine_->count_page(by_reference, bytes, whole);
  } else if (whole) {
    count_file(!by_reference);
  }
}

int ConnectionWriter::send_queued_file(size_t* share) {
  if (awaits_disk()) return 0;
  QueuedFile& queued = *queue_->file_at_head();
  FileRange window = queue_->range_at_head();
  const uint64_t left = window.length;
  window.length = std::min(left, queued.by_copy ? kCopyWindow : kFileWindow);
  const int found = find_in_memory(&queued, &window);
  if (found <= 0) return found;
  if (queued.by_copy) return copy_queued_file(window);
  const size_t length = std::min<size_t>(window.length, *share);
  const ssize_t sent = sys::send_file(fd_, window.file->fd(), window.offset, length);
  if (is_refusal(sent)) {
    // sendfile does not work for the file or the system: its bytes are read, and sent like others.
    queued.by_copy = true;
    return 1;
  }
  count_sent(sent, length);
  if (sent == -EAGAIN) return 0;
  // The file has shrunk: bytes that the peer has been promised no longer exist.
  if (sent == 0) return -ENODATA;
  if (sent < 0) return static_cast<int>(sent);
  const auto taken = static_cast<size_t>(sent);
  counters_.bytes_by_reference += taken;
  engine_->count_by_reference(taken);
  count_range(*window.file, taken, taken == left, true);
  queue_->consume(taken);
  *share -= taken;
  return taken == length ? 1 : 0;
}

// 1: the window, which may become shorter, is in memory. 0: it is being read in.
int ConnectionWriter::find_in_memory(QueuedFile* queued, FileRange* window) {
  if (window->file->in_memory()) return 1;
  if (window->offset < queued->warm_until) {
    window->length = std::min(window->length, queued->warm_until - window->offset);
    return 1;
  }
  const int found = sys::residency(window->file->fd(), window->offset, window->length);
  if (found != 1) return read_in(*window, queued->by_copy);
  queued->warm_until = window->offset + window->length;
  return 1;
}

int ConnectionWriter::read_in(const FileRange& window, bool keep) {
  if (!cold_read_) cold_read_ = std::make_unique<ColdRead>();
  return cold_read_->start(engine_->loop(), reads_told_, window, keep);
}

int ConnectionWriter::copy_queued_file(const FileRange& window) {
  std::unique_ptr<char[]> bytes(new char[window.length]);
  const ssize_t got = sys::read_at(window.file->fd(), bytes.get(), window.length, window.offset);
  if (got == 0) return -ENODATA;
  if (got < 0) return static_cast<int>(got);
  const bool whole = queue_->replace_head(std::move(bytes), static_cast<size_t>(got));
  count_range(*window.file, static_cast<size_t>(got), whole, false);
  return 1;
}

void ConnectionWriter::on_read_in(ssize_t length, std::unique_ptr<char[]> bytes) {
  NEARWIRE_CHECK(state_ == State::kOpen && queue_ && queue_->file_at_head() != nullptr);
  if (length <= 0) {
    break_off(length == 0 ? -ENODATA : static_cast<int>(length));
  } else {
    if (bytes) {
      if (queue_->replace_head(std::move(bytes), static_cast<size_t>(length))) count_file(true);
    } else {
      queue_->file_at_head()->warm_until = queue_->range_at_head().offset + static_cast<uint64_t>(length);
    }
    drain();
  }
}

bool ConnectionWriter::withdraw(const FileReference* file) {
  if (!queue_) return false;
  const bool at_head = queue_->file_at_head() != nullptr && queue_->file_at_head()->file.get() == file;
  if (!queue_->withdraw(file)) return false;
  if (at_head) cold_read_.reset();
  if (state_ == State::kOpen && queue_->empty()) tell_drained();
  return true;
}

}  // namespace nearwire
