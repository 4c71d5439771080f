// The writing half of a connection: memory by sendmsg, files by sendfile, in the order of the queue.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "check.h"
#include "connection.h"
#include "engine.h"
#include "options.h"
#include "splice.h"
#include "sys.h"

namespace nearwire {

namespace {

// Sends of one connection per wake-up, and bytes (0.1 ms at 17 GB/s), so that one fast reader does not starve the loop.
constexpr int kSendsPerTurn = 32;
constexpr size_t kBytesPerTurn = 2 * 1024 * 1024;
// Parts of one sendmsg: well below IOV_MAX (1,024), and the array stays within a few pages.
constexpr size_t kMaxParts = 256;
// A peer that makes room this fast is a reader that the send buffer holds up: each stop costs two wake-ups. One that
// takes longer would only have more bytes of ours wait in the kernel.
constexpr uint64_t kFastPeerNanos = 2'000'000;
// How large SO_SNDBUF grows by itself for what is sent by reference. Measured in C with pieces of a MiB, more than this
// pays no more.
constexpr int kGrownSendBuffer = 1024 * 1024;
// And for what is copied: Linux's default, so that it is other systems' that grow (macOS begins with 8 KiB). More saves
// wake-ups, but what is copied and not read yet leaves the caches: 1 MiB writes go at 3.3 GB/s with a buffer of 1 MiB,
// at 4.8 with the default.
constexpr int kGrownForCopies = 212'992;
// From this length on a file is worth a larger send buffer at once...
constexpr uint64_t kLongReference = 64 * 1024;
// ... of this size, which every Linux lets everybody set (net.core.wmem_max's old default), and doubles. Pieces of
// 64 KiB leave three times as fast with it, of 1 MiB twice and more; with the default, by reference is no gain.
constexpr int kReferenceSendBuffer = 212'992;
// How much SO_SNDBUF is asked for where it is to hold what is written: most bodies whole, and of a longer one as much
// as a reader takes in a millisecond. A thousand connections that nobody reads keep 2 GiB.
constexpr size_t kLargestRoom = 2 * 1024 * 1024;
// A file is looked for in memory, read in and sent in pieces of this size...
constexpr uint64_t kFileWindow = 1024 * 1024;
// ... and of this one where it is copied: it stays in the processor's cache on its way.
constexpr uint64_t kCopyWindow = 256 * 1024;

// What sendfile says of files, file systems and sandboxes that can't have it, not of the connection.
bool is_refusal(ssize_t error) {
  return error == -EINVAL || error == -ENOSYS || error == -EPERM || error == -EACCES || error == -EOPNOTSUPP ||
         error == -ESPIPE || error == -EOVERFLOW || error == -ENOMEM;
}

}  // namespace

void Connection::count_sent(ssize_t sent, size_t length) {
  ++counters_.sends;
  const bool refused = sent == -EAGAIN;
  const bool partial = sent >= 0 && static_cast<size_t>(sent) < length;
  if (refused || partial) note_full(refused);
  if (sent > 0) {
    counters_.bytes_written += static_cast<uint64_t>(sent);
    moved_at_ = uv_now(engine_->loop().uv());
  }
  engine_->count_send(partial, refused);
}

// The kernel has not taken all: what is left waits until it says that it has room again.
void Connection::note_full(bool refused) {
  ++(refused ? counters_.send_eagains : counters_.partial_sends);
  if (refused) ++counters_.eagains;
  answer_waits_ = true;
  if (wait_since_ != 0) return;
  wait_since_ = uv_hrtime();
  ++counters_.waits;
}

void Connection::end_wait() {
  counters_.wait_nanos += uv_hrtime() - wait_since_;
  wait_since_ = 0;
}

ssize_t Connection::send_counted(const iovec* parts, size_t count, size_t length, bool more) {
  const ssize_t sent = sys::send_parts(fd_, parts, count, more);
  count_sent(sent, length);
  return sent;
}

void Connection::count_file(bool copied) {
  ++counters_.files;
  if (copied) ++counters_.files_copied;
  engine_->count_file(copied);
}

void Connection::count_range(const FileReference& file, size_t bytes, bool whole, bool by_reference) {
  if (file.in_memory()) {
    engine_->count_page(by_reference, bytes, whole);
  } else if (whole) {
    count_file(!by_reference);
  }
}

size_t Connection::waiting() const {
  size_t bytes = queued();
  for (int32_t at = first_segment; at >= 0; at = engine_->segment(at).next) bytes += engine_->segment(at).length;
  return bytes;
}

// Segments, and the memory before the first file.
int Connection::send_directly(SentParts* more, size_t* sent) {
  std::vector<iovec>& parts = engine_->parts_of(first_segment);
  const size_t lead = more == nullptr ? 0 : more->first_file();
  for (size_t i = 0; i < lead; ++i) parts.push_back(more->part(i));
  const bool file_follows = more != nullptr && lead < more->count();
  for (size_t first = 0; first < parts.size();) {
    const size_t count = std::min(parts.size() - first, kMaxParts);
    size_t length = 0;
    for (size_t i = first; i < first + count; ++i) length += parts[i].iov_len;
    const ssize_t taken = send_counted(&parts[first], count, length, file_follows);
    if (taken == -EAGAIN) return 0;
    if (taken < 0) return static_cast<int>(taken);
    *sent += static_cast<size_t>(taken);
    // The kernel is full: it will say when there is room, asking again now would only cost a call.
    if (static_cast<size_t>(taken) < length) return 0;
    first += count;
  }
  return 0;
}

// Keeps what lies behind the first `sent` bytes of segments and parts; files in any case.
void Connection::keep_rest(size_t sent, SentParts* more) {
  const auto queue = [this]() -> WriteQueue& {
    if (!queue_) queue_ = std::make_unique<WriteQueue>();
    return *queue_;
  };
  for (int32_t at = first_segment; at >= 0;) {
    const Segment& segment = engine_->segment(at);
    const size_t skip = std::min<size_t>(sent, segment.length);
    sent -= skip;
    if (skip < segment.length) queue().append_copy(engine_->arena() + segment.offset + skip, segment.length - skip);
    at = segment.next;
  }
  for (size_t i = 0; more != nullptr && i < more->count(); ++i) {
    if (const FileRange* range = more->file(i)) {
      if (sys::kSendsFiles && range->length >= kLongReference) make_room_for_pages();
      queue().append_file(*range);
      continue;
    }
    const iovec part = more->part(i);
    const size_t skip = std::min(sent, part.iov_len);
    sent -= skip;
    if (skip == part.iov_len) continue;
    // The next turn's reads go to the lent slab.
    if (engine_->lent().contains(part.iov_base) || more->may_lose_buffer(i)) {
      queue().append_copy(static_cast<const char*>(part.iov_base) + skip, part.iov_len - skip);
    } else {
      queue().append_lent(more->hold(i), skip, part.iov_len - skip);
    }
  }
}

int Connection::send(SentParts* parts) {
  int error = 0;
  if (state_ == State::kFailed || write_failed_ || shutdown_asked_) {
    error = -EPIPE;
  } else {
    const bool free_way = state_ == State::kOpen && queued() == 0;
    size_t sent = 0;
    if (free_way) error = send_directly(parts, &sent);
    if (error == 0) keep_rest(sent, parts);
    // Bytes at the head are those that the kernel had no room for.
    const bool goes_on = queued() > 0 && (queue_->file_at_head() != nullptr || make_room_for(sent + queued()));
    if (error == 0 && free_way && goes_on) error = send_queue();
  }
  first_segment = last_segment = -1;
  if (error < 0) {
    fail_writing();
  } else if (queued() > 0) {
    note_blocked();
  } else if (state_ == State::kOpen) {
    queue_.reset();
  }
  return error;
}

void Connection::note_blocked() {
  if (blocked_since_ == 0) blocked_since_ = uv_hrtime();
  register_later();
}

// Doubles the send buffer of a connection whose peer keeps up: the larger it is, the fewer wake-ups a stream takes.
void Connection::grow_send_buffer(int largest) {
  const bool fast = uv_hrtime() - blocked_since_ < kFastPeerNanos;
  blocked_since_ = 0;
  if (send_buffer_fixed_ || !fast) return;
  const int before = sys::get_option(fd_, SOL_SOCKET, SO_SNDBUF);
  // It may have grown further with what was written.
  if (before < largest) set_send_buffer(before, std::min(before * 2, largest));
}

void Connection::grow_for_references() { grow_send_buffer(kGrownSendBuffer); }

// A page counts in the send buffer as its bytes do: the default has room for half of a large piece, and each stop costs
// more than the copy would have.
void Connection::make_room_for_pages() {
  if (refers_) return;
  refers_ = true;
  if (send_buffer_fixed_) return;
  const int before = sys::get_option(fd_, SOL_SOCKET, SO_SNDBUF);
  if (before < 2 * kReferenceSendBuffer) set_send_buffer(before, 2 * kReferenceSendBuffer);
}

void Connection::set_send_buffer(int before, int wanted) {
  // Linux doubles what it is asked for; elsewhere the double must be asked for.
  sys::set_option(fd_, SOL_SOCKET, SO_SNDBUF, sys::kDoublesBuffers ? wanted / 2 : wanted);
  const int after = sys::get_option(fd_, SOL_SOCKET, SO_SNDBUF);
  send_buffer_fixed_ = after <= before || after >= kGrownSendBuffer;
}

// Has the send buffer hold as many bytes as are handed over at once, where that is wished for. True if it has more room
// than before. It is asked for the bytes themselves: what Linux adds to that is for its own bookkeeping, and they fit.
bool Connection::make_room_for(size_t bytes) {
  if (!grows_with_writes_ || state_ != State::kOpen) return false;
  const size_t wanted = std::min(std::bit_ceil(bytes), kLargestRoom);
  if (wanted <= room_asked_) return false;
  room_asked_ = wanted;
  const int before = sys::get_option(fd_, SOL_SOCKET, SO_SNDBUF);
  if (static_cast<size_t>(before) >= (sys::kDoublesBuffers ? 2 * wanted : wanted)) return false;
  set_buffer_bytes(fd_, SO_SNDBUF, static_cast<int>(wanted));
  return sys::get_option(fd_, SOL_SOCKET, SO_SNDBUF) > before;
}

void Connection::fail_writing() {
  if (wait_since_ != 0) end_wait();
  write_failed_ = true;
  queue_.reset();
  cold_read_.reset();
  if (feeder_ != nullptr) feeder_->lose_target();
}

void Connection::break_writing(int error) {
  fail_writing();
  engine_->turn().report({id_, Event::kWriteError, error, 0});
}

// Sends what was kept, now that the kernel has room.
void Connection::drain_queue() {
  const int error = send_queue();
  if (error < 0) {
    break_writing(error);
    return;
  }
  // While a long file is on its way the send buffer does not grow: one reader of 512 MiB gains a sixth by it, thirty
  // readers of 64 MiB lose a fifth, since what is in flight no longer fits a cache.
  if (queue_->empty()) tell_drained();
}

void Connection::tell_drained() {
  queue_.reset();
  grow_send_buffer(refers_ ? kGrownSendBuffer : kGrownForCopies);
  drained_turn_ = engine_->turn().number() + 1;
  engine_->turn().report({id_, Event::kDrain, 0, 0});
  if (shutdown_asked_) engine_->turn().report({id_, Event::kShutdown, sys::shutdown_write(fd_), 0});
}

// Until the queue is empty, the kernel full, a disk waited for, or this connection's share of a turn used up. 0 or a
// negative errno.
int Connection::send_queue() {
  size_t share = kBytesPerTurn;
  for (int i = 0; i < kSendsPerTurn && share > 0 && !queue_->empty(); ++i) {
    const int outcome = queue_->file_at_head() == nullptr ? send_queued_memory(&share) : send_queued_file(&share);
    if (outcome <= 0) return outcome;
  }
  return 0;
}

// Both: 1 if it went as far as it could, 0 to stop for now, or a negative errno.
int Connection::send_queued_memory(size_t* share) {
  std::array<iovec, kMaxParts> parts;
  bool intact = false;
  const size_t count = queue_->parts(parts.data(), parts.size(), &intact);
  // A lent buffer without its bytes was detached by its owner: the stream can't be continued.
  if (!intact) return -EFAULT;
  size_t length = 0;
  for (size_t i = 0; i < count; ++i) length += parts[i].iov_len;
  const ssize_t sent = send_counted(parts.data(), count, length, queue_->file_follows(count));
  if (sent == -EAGAIN) return 0;
  if (sent < 0) return static_cast<int>(sent);
  queue_->consume(static_cast<size_t>(sent));
  *share -= std::min(*share, static_cast<size_t>(sent));
  return static_cast<size_t>(sent) == length ? 1 : 0;
}

int Connection::send_queued_file(size_t* share) {
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
    // The file or the system can't have it: its bytes are read, and sent as others are.
    queued.by_copy = true;
    return 1;
  }
  count_sent(sent, length);
  if (sent == -EAGAIN) return 0;
  // The file has shrunk: the peer has been promised what is no longer there.
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
int Connection::find_in_memory(QueuedFile* queued, FileRange* window) {
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

int Connection::read_in(const FileRange& window, bool keep) {
  if (!cold_read_) cold_read_ = std::make_unique<ColdRead>();
  return cold_read_->start(engine_->loop(), this, window, keep);
}

int Connection::copy_queued_file(const FileRange& window) {
  std::unique_ptr<char[]> bytes(new char[window.length]);
  const ssize_t got = sys::read_at(window.file->fd(), bytes.get(), window.length, window.offset);
  if (got == 0) return -ENODATA;
  if (got < 0) return static_cast<int>(got);
  const bool whole = queue_->replace_head(std::move(bytes), static_cast<size_t>(got));
  count_range(*window.file, static_cast<size_t>(got), whole, false);
  return 1;
}

void Connection::on_cold_read(ssize_t length, std::unique_ptr<char[]> bytes) {
  NEARWIRE_CHECK(state_ == State::kOpen && queue_ && queue_->file_at_head() != nullptr);
  if (length <= 0) {
    break_writing(length == 0 ? -ENODATA : static_cast<int>(length));
  } else {
    if (bytes) {
      if (queue_->replace_head(std::move(bytes), static_cast<size_t>(length))) count_file(true);
    } else {
      queue_->file_at_head()->warm_until = queue_->range_at_head().offset + static_cast<uint64_t>(length);
    }
    drain_queue();
  }
  register_later();
}

bool Connection::withdraw(const FileReference* file) {
  if (!queue_) return false;
  const bool at_head = queue_->file_at_head() != nullptr && queue_->file_at_head()->file.get() == file;
  if (!queue_->withdraw(file)) return false;
  if (at_head) cold_read_.reset();
  if (state_ != State::kOpen) return true;
  if (queue_->empty()) tell_drained();
  register_later();
  return true;
}

}  // namespace nearwire
