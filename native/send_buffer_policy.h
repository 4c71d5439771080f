// How large the send buffer (SO_SNDBUF) of one connection becomes: what decides it once the socket has the sizes that
// its options ask for (buffers.h). Nothing else changes it, but a program's own setsockopt().
//
//   begin() --(TCP, or a size is asked for)--> kept <--keep()-- any
//      \--(UNIX)-----------> growing --(it is as large as it may, or can, grow)--> grown
//      \--(UNIX, 'auto')---> the same, and in either state it gets room for each write
//
//   kept      nobody changes it: TCP sizes its own, and a size is what a program has asked for
//   growing   it doubles for a reader that keeps up, and makes one jump for what is sent by reference
//   grown     it does neither any more
//
// A reader keeps up if what it had no room for has gone soon:
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
  // A socket of this family has the buffers that are wished for.
  void begin(int family, const BufferWish& wish) {
    const bool is_unix = family == AF_UNIX;
    waits_since_ = 0;
    room_asked_ = 0;
    full_ = wish.send > 0 || !is_unix;
    holds_writes_ = wish.send == BufferWish::kAutoBuffer && is_unix;
    refers_ = false;
  }
  // It is set by hand, and stays so.
  void keep() {
    full_ = true;
    holds_writes_ = false;
  }

  // --- the moments of sending ---
  // The kernel has no room for all of a write of so many bytes. True: it has more now.
  bool on_full(int fd, size_t bytes);
  // So many bytes of a file or page are put behind what waits, to go by reference.
  void on_reference(int fd, uint64_t length);
  // Something begins to wait, or waits on.
  void on_wait();
  // All that waited has gone (`is_splice`: what a splice brings can go on).
  void on_room(int fd, bool is_splice);

 private:
  void set(int fd, int before, int wanted);

  // Since when something waits (uv_hrtime); 0: nothing does.
  uint64_t waits_since_ = 0;
  // What has been asked for so that writes have room.
  size_t room_asked_ = 0;
  // Kept, or grown.
  bool full_ = true;
  // 'auto': it is to hold what is written at once.
  bool holds_writes_ = false;
  // The jump for references is made.
  bool refers_ = false;
};

}  // namespace nearwire
