#include "send_buffer_policy.h"

#include <uv.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "options.h"
#include "sys.h"

namespace nearwire {

namespace {

// A peer that makes room this fast is a reader slowed down by the send buffer: each stop costs two wake-ups. For a
// slower one, more bytes would merely wait in the kernel. The advice uses the same limit (src/tune/rule.ts).
constexpr uint64_t kFastPeerNanos = 2'000'000;
// The size up to which it grows for a fast reader of data sent by reference, as read back. Measured in C with pieces of
// a MiB, more than this brings no gain.
constexpr int kGrownForReferences = 1024 * 1024;
// And of copied data: Linux's default, so that only other systems' buffers grow (macOS begins with 8 KiB). More saves
// wake-ups, but copied data that has not been read yet is evicted from the caches: 1 MiB writes run at 3.3 GB/s with a
// buffer of 1 MiB, at 4.8 with the default.
constexpr int kGrownForCopies = 212'992;
// From this length on, a file or page justifies a larger buffer at once...
constexpr uint64_t kLongReference = 64 * 1024;
// ... of this size as read back: any process on Linux may request half of it (net.core.wmem_max's old default). Pieces
// of 64 KiB are sent three times as fast with it, those of 1 MiB more than twice as fast. With the default, sending by
// reference gains nothing: a page counts with all its bytes, half of a large piece fits, and each stop costs more than
// the copy would have.
constexpr int kReferenceBuffer = 2 * 212'992;
// The maximum requested to hold writes: most bodies completely, and of a longer one as much as a reader takes in a
// millisecond. A thousand connections whose peers do not read hold 2 GiB.
constexpr size_t kLargestRoom = 2 * 1024 * 1024;

int size_of(int fd) { return sys::get_option(fd, SOL_SOCKET, SO_SNDBUF); }

}  // namespace

// The exact number of bytes is requested: what Linux adds is for its own bookkeeping, and they fit.
bool SendBufferPolicy::on_full(int fd, size_t bytes) {
  if (!holds_writes_) return false;
  const size_t wanted = std::min(std::bit_ceil(bytes), kLargestRoom);
  if (wanted <= room_asked_) return false;
  room_asked_ = wanted;
  const int before = size_of(fd);
  if (static_cast<size_t>(before) >= (sys::kDoublesBuffers ? 2 * wanted : wanted)) return false;
  set_buffer_bytes(fd, SO_SNDBUF, static_cast<int>(wanted));
  return size_of(fd) > before;
}

void SendBufferPolicy::on_reference(int fd, uint64_t length) {
  if (!sys::kSendsFiles || length < kLongReference || refers_) return;
  refers_ = true;
  if (full_) return;
  const int before = size_of(fd);
  if (before < kReferenceBuffer) set(fd, before, kReferenceBuffer);
}

void SendBufferPolicy::on_wait() {
  if (waits_since_ == 0) waits_since_ = uv_hrtime();
}

// The larger it is, the fewer wake-ups a stream takes. A long file in progress counts as a single wait: one reader of
// 512 MiB would gain a sixth if the buffer grew meanwhile, thirty readers of 64 MiB would lose a fifth, since the data
// in flight no longer fits a cache.
void SendBufferPolicy::on_room(int fd, bool is_splice) {
  const uint64_t since = std::exchange(waits_since_, 0);
  if (full_ || uv_hrtime() - since >= kFastPeerNanos) return;
  const int largest = refers_ || is_splice ? kGrownForReferences : kGrownForCopies;
  const int before = size_of(fd);
  // Writes may have made it grow further.
  if (before < largest) set(fd, before, std::min(before * 2, largest));
}

void SendBufferPolicy::set(int fd, int before, int wanted) {
  // Linux doubles the requested size; on other systems the double must be requested.
  sys::set_option(fd, SOL_SOCKET, SO_SNDBUF, sys::kDoublesBuffers ? wanted / 2 : wanted);
  const int after = size_of(fd);
  full_ = after <= before || after >= kGrownForReferences;
}

}  // namespace nearwire
