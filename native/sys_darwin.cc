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
const bool kSendsFiles = false;
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

// macOS has a sendfile(2), which refuses UNIX sockets (ENOTSUP: it takes PF_INET and PF_INET6 only), and which copies
// on its way to TCP. Files are read in the thread pool.
ssize_t send_file(int, int, uint64_t, size_t) { return -ENOSYS; }

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
