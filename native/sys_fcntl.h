// For systems without accept4 and SOCK_NONBLOCK: the same in several calls. Between the calls a fork in another thread
// may inherit the descriptor; such systems offer nothing better.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "sys.h"

namespace nearwire::sys {

inline int accepted(int listener) {
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd >= 0 || errno != EINTR) return fd;
  }
}

// Makes a new descriptor non-blocking and close-on-exec, then applies `also`; closes it if anything fails.
template <typename Also>
int prepared(int fd, Also also) {
  if (fd < 0) return -errno;
  int error = set_flags(fd);
  if (error == 0) error = also(fd);
  if (error == 0) return fd;
  close(fd);
  return error;
}

inline int open_prepared_pair(int ends[2]) {
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return -errno;
  int error = prepare_stream(ends[0]);
  if (error == 0) error = prepare_stream(ends[1]);
  if (error == 0) return 0;
  close(ends[0]);
  close(ends[1]);
  return error;
}

inline ssize_t send_with_flags(int fd, const iovec* parts, size_t count, int flags) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  for (;;) {
    const ssize_t sent = sendmsg(fd, &message, flags | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    // Out of network memory: libuv treats it as a full buffer too.
    if (errno == ENOBUFS) return -EAGAIN;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace nearwire::sys
