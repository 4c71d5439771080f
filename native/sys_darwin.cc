// Where nothing else is said, what the kernel does is read in XNU's source (xnu-11417, bsd/kern/uipc_*.c).
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
// accept() closes what it can't give a descriptor to, "that just causes the client to spin" otherwise.
const bool kAcceptDropsAtLimit = true;
// listen() keeps it in a short, and 0 of what is too large for one.
const int kLargestBacklog = SHRT_MAX;
const int kUnreadableFlags = 0;

namespace {

// macOS has no MSG_NOSIGNAL: a broken pipe is silenced per socket.
int silence(int fd) {
  const int error = set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
  // EINVAL: the peer has gone already; the first read will tell.
  return error == -EINVAL ? 0 : error;
}

// kqueue tells of urgent data as of other, but read() would not find it: libuv has it stand in line on macOS, and so
// node's sockets do. What a listener has its connections inherit, as they do SO_NOSIGPIPE and SO_SNDBUF.
int tame(int fd) {
  const int error = set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  return error < 0 && error != -EINVAL ? error : silence(fd);
}

// What is said of a connection that the peer is just closing, and is not EPIPE. Not tried again: with some VPN software
// EPROTOTYPE stays (https://github.com/libuv/libuv/pull/3413).
int peer_gone(int error) { return error == -EPROTOTYPE ? -ECONNRESET : error; }

// How many of the parts come to INT_MAX bytes or less: more in one call is EINVAL (sosend).
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

// A copy from the page cache into network memory, not a reference to it; it spares the way through ours. UNIX sockets
// are taken too. Never called for no bytes, which would mean all of the file.
ssize_t send_file(int socket, int file, uint64_t offset, size_t length) {
  for (;;) {
    off_t sent = static_cast<off_t>(length);
    if (sendfile(file, socket, static_cast<off_t>(offset), &sent, nullptr, 0) == 0) return static_cast<ssize_t>(sent);
    const int error = errno;
    // These two tell what has been sent before them; of others that is not promised (sendfile(2)).
    if ((error == EAGAIN || error == EINTR) && sent > 0) return static_cast<ssize_t>(sent);
    // Another number than EOPNOTSUPP here: no regular file.
    if (error == ENOTSUP) return -EOPNOTSUPP;
    // The peer has gone: what send() calls EPIPE.
    if (error == ENOTCONN) return -EPIPE;
    if (error != EINTR) return peer_gone(-error);
  }
}

// getsockopt() knows no SO_ACCEPTCONN here (sogetoptlock), <libproc.h> does.
int is_listening(int fd) {
  socket_fdinfo found{};
  const int length = proc_pidfdinfo(getpid(), fd, PROC_PIDFDSOCKETINFO, &found, sizeof found);
  return length == sizeof found && (found.psi.soi_options & SO_ACCEPTCONN) != 0 ? 1 : 0;
}

// SO_REUSEPORT gives all connections to one of the listeners; libuv refuses it too.
int set_reuse_port(int) { return -ENOTSUP; }

// Accept filters are FreeBSD's.
void defer_accept(int) {}

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

int64_t preemptions() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

}  // namespace nearwire::sys
