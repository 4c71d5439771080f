// The sizes of a socket's buffers, as servers, sockets and connections are given them.
#pragma once

#include "sys.h"

namespace nearwire {

struct BufferWish {
  // Bytes as the kernel is asked for them; 0 leaves the system's own. kAutoBuffer: grows with what is written.
  int send = 0;
  int recv = 0;
  // Take less than the system's own too.
  bool may_be_small = false;

  static constexpr int kAutoBuffer = -1;
};

// What the system gives a new socket.
class SystemBuffers {
 public:
  // Gives a socket the buffers that are wished for, as far as the system allows. 0 or a negative errno.
  int apply(int fd, int family, const BufferWish& wish);

 private:
  // The smallest numbers to ask for that leave a socket no less than it has by itself.
  struct Least {
    int send = 0;
    int recv = 0;
  };
  const Least& least(int family);

  // Asked once a family: 0 is not known yet.
  Least unix_;
  Least inet_;
  Least inet6_;
};

}  // namespace nearwire
