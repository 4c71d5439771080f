// The buffer sizes of sockets, as configured for servers, sockets and connections.
#pragma once

#include "sys.h"

namespace nearwire {

struct BufferWish {
  // Bytes requested from the kernel; 0 keeps the system's default. kAutoBuffer: grows with what is written.
  int send = 0;
  int recv = 0;
  // Also apply sizes below the system's default.
  bool may_be_small = false;

  static constexpr int kAutoBuffer = -1;
};

// The system's default sizes for new sockets.
class SystemBuffers {
 public:
  // Applies the requested sizes to a socket, as far as the system allows. 0 or a negative errno.
  int apply(int fd, int family, const BufferWish& wish);

 private:
  // The smallest requests that leave a socket with no less than its default.
  struct Least {
    int send = 0;
    int recv = 0;
  };
  const Least& least(int family);

  // Queried once per family: 0 is not known yet.
  Least unix_;
  Least inet_;
  Least inet6_;
};

}  // namespace nearwire
