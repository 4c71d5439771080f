#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

#include "sys.h"
#include "sys_fcntl.h"

namespace nearwire::sys {

const char* const kName = "darwin";
const bool kAbstractNames = false;
const bool kAcceptedInheritBuffers = true;
const bool kDoublesBuffers = false;
const bool kSendsFiles = true;
const int kUnreadableFlags = 0;

namespace {

// macOS has no MSG_NOSIGNAL: a broken pipe is silenced per socket.
int silence(int fd) {
  const int error = set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
  // EINVAL: the peer has gone already; the first read will tell.
  return error == -EINVAL ? 0 : error;
}

}  // namespace

int open_stream(int family) { return prepared(socket(family, SOCK_STREAM, 0), silence); }

int accept_stream(int listener) { return prepared(accepted(listener), silence); }

int prepare_stream(int fd) {
  const int error = set_flags(fd);
  return error == 0 ? silence(fd) : error;
}

ssize_t send_parts(int fd, const iovec* parts, size_t count, bool) { return send_with_flags(fd, parts, count, 0); }

// Takes TCP sockets only: of others it says ENOTSUP, and their files are read in the thread pool. What was sent before
// it was interrupted, or the socket was full, is told beside the error.
ssize_t send_file(int socket, int file, uint64_t offset, size_t length) {
  for (;;) {
    off_t sent = static_cast<off_t>(length);
    const int outcome = sendfile(file, socket, static_cast<off_t>(offset), &sent, nullptr, 0);
    if (outcome == 0 || sent > 0) return static_cast<ssize_t>(sent);
    if (errno == ENOTSUP) return -EOPNOTSUPP;
    if (errno != EINTR) return -errno;
  }
}

int residency(int, uint64_t, size_t) { return -ENOSYS; }

int open_cached(const char*) { return -EAGAIN; }

int open_pipe(int*) { return -ENOSYS; }

void set_pipe_size(int, size_t) {}

ssize_t move_bytes(int, int, int64_t*, size_t) { return -ENOSYS; }

int set_keep_alive(int fd, bool on, unsigned delay_seconds) {
  const int error = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
  if (error < 0 || !on || delay_seconds == 0) return error;
  return set_option(fd, IPPROTO_TCP, TCP_KEEPALIVE, static_cast<int>(delay_seconds));
}

int create_memory_file(const char*) { return -ENOSYS; }

int seal(int) { return -ENOSYS; }

}  // namespace nearwire::sys
