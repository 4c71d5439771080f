// Decides the size of one connection's send buffer (SO_SNDBUF), once the socket has the sizes that its options request
// (buffers.h). Nothing else changes it, except a program's own setsockopt().
//
//   begin() --(TCP, or a size is requested)--> kept <--keep()-- any
//      \--(UNIX)-----------> growing --(it is as large as it may, or can, grow)--> grown
//      \--(UNIX, 'auto')---> the same, and in either state it gets room for each write
//
//   kept      never changed: TCP sizes its own, and a requested size is the program's choice
//   growing   doubles for a reader that keeps up, and jumps once for data sent by reference
//   grown     does neither any more
//
// A reader keeps up if data that did not fit is taken soon:
//
//   nothing waits --on_wait()--> waiting --on_room(): soon, or not--> nothing waits
//
// It never shrinks.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "buffers.h"

namespace nearwire {

class SendBufferPolicy {
 public:
  // A socket of this family has the requested buffer sizes.
  void begin(int family, const BufferWish& wish) {
    const bool is_unix = family == AF_UNIX;
    waits_since_ = 0;
    room_asked_ = 0;
    full_ = wish.send > 0 || !is_unix;
    holds_writes_ = wish.send == BufferWish::kAutoBuffer && is_unix;
    refers_ = false;
  }
  // The program has set it: it is never changed again.
  void keep() {
    full_ = true;
    holds_writes_ = false;
  }

  // --- called while sending ---
  // The kernel has no room for all of a write of `bytes` bytes. Returns true if it has more room now.
  bool on_full(int fd, size_t bytes);
  // `length` bytes of a file or page have been queued, to be sent by reference.
  void on_reference(int fd, uint64_t length);
  // Data begins to wait, or keeps waiting.
  void on_wait();
  // All waiting data has been sent (`is_splice`: a splice can continue).
  void on_room(int fd, bool is_splice);

 private:
  void set(int fd, int before, int wanted);

  // When data began to wait (uv_hrtime); 0: none is waiting.
  uint64_t waits_since_ = 0;
  // The size requested so far to make room for writes.
  size_t room_asked_ = 0;
  // Kept, or grown.
  bool full_ = true;
  // 'auto': it must hold what is written at once.
  bool holds_writes_ = false;
  // The jump for references has been made.
  bool refers_ = false;
};

}  // namespace nearwire
