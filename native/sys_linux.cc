#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

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

int open_pipe(int ends[2]) { return pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0 ? 0 : -errno; }

void set_pipe_size(int fd, size_t bytes) { fcntl(fd, F_SETPIPE_SZ, static_cast<int>(bytes)); }

// A socket whose peer is gone raises SIGPIPE here, which no flag prevents; node ignores it, as libuv's own writes need.
ssize_t move_bytes(int from, int to, int64_t* offset, size_t length) {
  loff_t at = offset == nullptr ? 0 : *offset;
  for (;;) {
    const ssize_t moved =
        splice(from, nullptr, to, offset == nullptr ? nullptr : &at, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved >= 0) {
      if (offset != nullptr) *offset = at;
      return moved;
    }
    if (errno != EINTR) return -errno;
  }
}

int set_keep_alive(int fd, bool on, unsigned delay_seconds) {
  const int error = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
  if (error < 0 || !on || delay_seconds == 0) return error;
  return set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(delay_seconds));
}

}  // namespace nearwire::sys
