#include "connection_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "engine.h"
#include "splice.h"
#include "sys.h"

namespace nearwire {

namespace {

// Sends of one connection per wake-up, and bytes (0.1 ms at 17 GB/s), so that one fast reader does not starve the loop.
constexpr int kSendsPerTurn = 32;
constexpr size_t kBytesPerTurn = 2 * 1024 * 1024;
// Parts of one sendmsg: well below IOV_MAX (1,024), and the array stays within a few pages.
constexpr size_t kMaxParts = 256;

}  // namespace

void ConnectionWriter::connected() {
  // A write after the end has made it fail.
  if (state_ == State::kConnecting) state_ = State::kOpen;
  if (queue_) {
    const size_t bytes = queued();
    drain();
    if (queued() > 0 && buffer_.on_full(fd_, bytes)) drain();
  } else if (ending_) {
    tell_end();
  }
}

int ConnectionWriter::shutdown() {
  if (ending_) return -EPIPE;
  if (feeder_ != nullptr) {
    feeder_->hand_over();
    feeder_->lose_target();
  }
  ending_ = true;
  if (queued() > 0 || state_ == State::kConnecting) return 1;
  return sys::shutdown_write(fd_);
}

void ConnectionWriter::tell_end() { engine_->turn().report({id_, Event::kShutdown, sys::shutdown_write(fd_), 0}); }

WriteQueue& ConnectionWriter::queue() {
  if (!queue_) queue_ = std::make_unique<WriteQueue>();
  return *queue_;
}

WriteCounters ConnectionWriter::counters_now() const {
  WriteCounters now = counters_;
  if (wait_since_ != 0) now.wait_nanos += uv_hrtime() - wait_since_;
  return now;
}

size_t ConnectionWriter::waiting() const {
  size_t bytes = queued();
  for (int32_t at = first_segment_; at >= 0; at = engine_->segment(at).next) bytes += engine_->segment(at).length;
  return bytes;
}

ssize_t ConnectionWriter::send_counted(const iovec* parts, size_t count, size_t length, bool more) {
  const ssize_t sent = sys::send_parts(fd_, parts, count, more);
  count_sent(sent, length);
  return sent;
}

void ConnectionWriter::count_sent(ssize_t sent, size_t length) {
  ++counters_.sends;
  const bool refused = sent == -EAGAIN;
  const bool partial = sent >= 0 && static_cast<size_t>(sent) < length;
  if (refused || partial) note_full(refused);
  if (sent > 0) {
    counters_.bytes += static_cast<uint64_t>(sent);
    engine_->heap_top().count(static_cast<size_t>(sent));
    sent_at_ = uv_now(engine_->loop().uv());
  }
  engine_->count_send(partial, refused);
}

// The kernel has not taken everything: the rest waits until it reports room again.
void ConnectionWriter::note_full(bool refused) {
  ++(refused ? counters_.eagains : counters_.partial);
  answer_waits_ = true;
  if (wait_since_ != 0) return;
  wait_since_ = uv_hrtime();
  ++counters_.waits;
}

void ConnectionWriter::end_wait() {
  counters_.wait_nanos += uv_hrtime() - wait_since_;
  wait_since_ = 0;
}

// Sends segments, and the memory before the first file.
int ConnectionWriter::send_directly(SentParts* more, size_t* sent) {
  std::vector<iovec>& parts = engine_->parts_of(first_segment_);
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
    // The kernel is full: it will report room; trying again now would only cost a call.
    if (static_cast<size_t>(taken) < length) return 0;
    first += count;
  }
  return 0;
}

// Keeps what follows the first `sent` bytes of segments and parts; files in any case.
void ConnectionWriter::keep_rest(size_t sent, SentParts* more) {
  for (int32_t at = first_segment_; at >= 0;) {
    const Segment& segment = engine_->segment(at);
    const size_t skip = std::min<size_t>(sent, segment.length);
    sent -= skip;
    if (skip < segment.length) queue().append_copy(engine_->arena() + segment.offset + skip, segment.length - skip);
    at = segment.next;
  }
  for (size_t i = 0; more != nullptr && i < more->count(); ++i) {
    if (const FileRange* range = more->file(i)) {
      buffer_.on_reference(fd_, range->length);
      queue().append_file(*range);
      continue;
    }
    const iovec part = more->part(i);
    const size_t skip = std::min(sent, part.iov_len);
    sent -= skip;
    if (skip == part.iov_len) continue;
    // The lent slab is overwritten by the next iteration's reads.
    if (engine_->lent().contains(part.iov_base) || more->may_lose_buffer(i)) {
      queue().append_copy(static_cast<const char*>(part.iov_base) + skip, part.iov_len - skip);
    } else {
      queue().append_lent(more->hold(i), skip, part.iov_len - skip);
    }
  }
}

int ConnectionWriter::send(SentParts* parts) {
  int error = 0;
  if (state_ == State::kFailed || ending_) {
    error = -EPIPE;
  } else {
    const bool free_way = state_ == State::kOpen && queued() == 0;
    size_t sent = 0;
    if (free_way) error = send_directly(parts, &sent);
    if (error == 0) keep_rest(sent, parts);
    if (error == 0 && free_way && queued() > 0 && goes_on(sent)) error = send_queue();
  }
  first_segment_ = last_segment_ = -1;
  if (error < 0) {
    fail();
  } else if (queued() > 0) {
    buffer_.on_wait();
  } else if (state_ == State::kOpen) {
    queue_.reset();
  }
  return error;
}

// Whether to try the kernel again after it has been given `sent` bytes. If the queue begins with memory, the kernel had
// no room for it.
bool ConnectionWriter::goes_on(size_t sent) {
  return queue_->file_at_head() != nullptr || buffer_.on_full(fd_, sent + queued());
}

void ConnectionWriter::fail() {
  if (wait_since_ != 0) end_wait();
  state_ = State::kFailed;
  queue_.reset();
  cold_read_.reset();
  drop_feeder();
}

void ConnectionWriter::break_off(int error) {
  fail();
  engine_->turn().report({id_, Event::kWriteError, error, 0});
}

void ConnectionWriter::drain() {
  const int error = send_queue();
  if (error < 0) {
    break_off(error);
  } else if (queue_->empty()) {
    tell_drained();
  }
}

void ConnectionWriter::tell_drained() {
  queue_.reset();
  buffer_.on_room(fd_, false);
  drained_turn_ = engine_->turn().number() + 1;
  engine_->turn().report({id_, Event::kDrain, 0, 0});
  if (ending_) tell_end();
}

// Sends until the queue is empty, the kernel full, a disk access needed, or this connection's share of an iteration
// used up. Returns 0 or a negative errno.
int ConnectionWriter::send_queue() {
  size_t share = kBytesPerTurn;
  for (int i = 0; i < kSendsPerTurn && share > 0 && !queue_->empty(); ++i) {
    const int outcome = queue_->file_at_head() == nullptr ? send_queued_memory(&share) : send_queued_file(&share);
    if (outcome <= 0) return outcome;
  }
  return 0;
}

// Both return 1 if they sent as much as possible, 0 to stop for now, or a negative errno.
int ConnectionWriter::send_queued_memory(size_t* share) {
  std::array<iovec, kMaxParts> parts;
  bool intact = false;
  const size_t count = queue_->parts(parts.data(), parts.size(), &intact);
  // A lent buffer without its bytes was detached by its owner: the stream cannot be continued.
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

bool ConnectionWriter::feeder_wants_room() const { return feeder_ != nullptr && feeder_->wants_room(); }

void ConnectionWriter::lose_feeder() { feeder_->lose_target(); }

bool ConnectionWriter::is_busy() const {
  return queued() > 0 || has_segments() || drained_turn_ == engine_->turn().number() + 1;
}

bool ConnectionWriter::pass_on(const char* bytes, size_t length) {
  if (queued() > 0) {
    keep(bytes, length);
    return true;
  }
  const iovec part{const_cast<char*>(bytes), length};
  const ssize_t sent = send_counted(&part, 1, length, false);
  if (sent < 0 && sent != -EAGAIN) {
    break_off(static_cast<int>(sent));
    return false;
  }
  const auto taken = static_cast<size_t>(std::max<ssize_t>(sent, 0));
  if (taken < length) keep(bytes + taken, length - taken);
  return true;
}

void ConnectionWriter::keep(const char* bytes, size_t length) {
  if (state_ == State::kFailed) return;
  queue().append_copy(bytes, length);
  buffer_.on_wait();
}

}  // namespace nearwire
