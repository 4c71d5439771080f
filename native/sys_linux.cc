#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

#include "sys.h"

namespace nearwire::sys {

const char* const kName = "linux";
const bool kAbstractNames = true;
const bool kAcceptedInheritBuffers = false;
const bool kDoublesBuffers = true;

int open_stream(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd >= 0 ? fd : -errno;
}

int accept_stream(int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) return fd;
    if (errno != EINTR) return -errno;
  }
}

int prepare_stream(int fd) { return set_flags(fd); }

ssize_t send_parts(int fd, const iovec* parts, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  for (;;) {
    // A single part needs no message header, which the kernel would have to copy in and check.
    const ssize_t sent =
        count == 1 ? send(fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL) : sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

int set_keep_alive(int fd, bool on, unsigned delay_seconds) {
  const int error = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
  if (error < 0 || !on || delay_seconds == 0) return error;
  return set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(delay_seconds));
}

}  // namespace nearwire::sys
