// Unless stated otherwise, the kernel's behaviour is taken from XNU's source (xnu-11417, bsd/kern/uipc_*.c).
#include <fcntl.h>
#include <libproc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <cerrno>
#include <climits>

#include "sys.h"
#include "sys_fcntl.h"

namespace nearwire::sys {

const char* const kName = "darwin";
const bool kAbstractNames = false;
const bool kAcceptedInheritBuffers = true;
const bool kDoublesBuffers = false;
const bool kSendsFiles = true;
const bool kRefusesWhenFull = true;
// accept() closes a connection for which it has no descriptor; otherwise "that just causes the client to spin".
const bool kAcceptDropsAtLimit = true;
// listen() stores it in a short, and stores 0 if it is too large for one.
const int kLargestBacklog = SHRT_MAX;
const int kUnreadableFlags = 0;

namespace {

// macOS has no MSG_NOSIGNAL: SIGPIPE is disabled per socket.
int silence(int fd) {
  const int error = set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
  // EINVAL: the peer has already closed; the first read will report it.
  return error == -EINVAL ? 0 : error;
}

// kqueue reports urgent data like other data, but read() would not return it: on macOS libuv receives it in-line, and
// so do node's sockets. Connections inherit this from their listener, like SO_NOSIGPIPE and SO_SNDBUF.
int tame(int fd) {
  const int error = set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  return error < 0 && error != -EINVAL ? error : silence(fd);
}

// The error for a connection that the peer is just closing, other than EPIPE. Not retried: with some VPN software
// EPROTOTYPE is permanent (https://github.com/libuv/libuv/pull/3413).
int peer_gone(int error) { return error == -EPROTOTYPE ? -ECONNRESET : error; }

// The number of parts that total INT_MAX bytes or less: more in one call is EINVAL (sosend).
size_t count_that_fits(const iovec* parts, size_t count) {
  size_t bytes = 0;
  size_t fitting = 0;
  while (fitting < count && parts[fitting].iov_len <= INT_MAX - bytes) bytes += parts[fitting++].iov_len;
  return fitting;
}

}  // namespace

int open_stream(int family) { return prepared(socket(family, SOCK_STREAM, 0), tame); }

int accept_stream(int listener) { return prepared(accepted(listener), silence); }

int prepare_stream(int fd) {
  const int error = set_flags(fd);
  return error == 0 ? tame(fd) : error;
}

int open_pair(int ends[2]) { return open_prepared_pair(ends); }

ssize_t send_parts(int fd, const iovec* parts, size_t count, bool) {
  const size_t fitting = count_that_fits(parts, count);
  const iovec start{parts->iov_base, INT_MAX};
  const bool is_long = fitting == 0 && count > 0;
  const ssize_t sent = is_long ? send_with_flags(fd, &start, 1, 0) : send_with_flags(fd, parts, fitting, 0);
  return sent < 0 ? peer_gone(static_cast<int>(sent)) : sent;
}

// Copies from the page cache into network memory, rather than referencing it, which saves the copy through our memory.
// Works with UNIX sockets too. Never call it for zero bytes, which would mean the whole file.
ssize_t send_file(int socket, int file, uint64_t offset, size_t length) {
  for (;;) {
    off_t sent = static_cast<off_t>(length);
    if (sendfile(file, socket, static_cast<off_t>(offset), &sent, nullptr, 0) == 0) return static_cast<ssize_t>(sent);
    const int error = errno;
    // Only for these two is the number of bytes sent before them guaranteed to be reported (sendfile(2)).
    if ((error == EAGAIN || error == EINTR) && sent > 0) return static_cast<ssize_t>(sent);
    // Another number than EOPNOTSUPP here: not a regular file.
    if (error == ENOTSUP) return -EOPNOTSUPP;
    // The peer has closed: send() would return EPIPE.
    if (error == ENOTCONN) return -EPIPE;
    if (error != EINTR) return peer_gone(-error);
  }
}

// getsockopt() does not support SO_ACCEPTCONN here (sogetoptlock), but <libproc.h> has it.
int is_listening(int fd) {
  socket_fdinfo found{};
  const int length = proc_pidfdinfo(getpid(), fd, PROC_PIDFDSOCKETINFO, &found, sizeof found);
  return length == sizeof found && (found.psi.soi_options & SO_ACCEPTCONN) != 0 ? 1 : 0;
}

// SO_REUSEPORT gives all connections to one of the listeners; libuv rejects it too.
int set_reuse_port(int) { return -ENOTSUP; }

// Accept filters exist only on FreeBSD.
void defer_accept(int) {}

int residency(int, uint64_t, size_t) { return -ENOSYS; }

ssize_t read_resident(int, void*, size_t, int64_t) { return -ENOSYS; }

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

int64_t preemptions() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

}  // namespace nearwire::sys
