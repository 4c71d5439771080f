#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "sys.h"

namespace nearwire::sys {

const char* const kName = "linux";
const bool kAbstractNames = true;
const bool kAcceptedInheritBuffers = false;
const bool kDoublesBuffers = true;
const bool kSendsFiles = true;
const bool kRefusesWhenFull = false;
// accept() allocates the descriptor first, and leaves the connection in the queue if that fails (net/socket.c).
const bool kAcceptDropsAtLimit = false;
// The kernel reduces it to net.core.somaxconn.
const int kLargestBacklog = INT_MAX;
const int kUnreadableFlags = O_DIRECT | O_PATH;

namespace {

// As in the kernel's <linux/mman.h> and its system call table; older headers lack them.
constexpr long kCachestat = 451;
struct CacheRange {
  uint64_t offset;
  uint64_t length;
};
struct CacheStatistics {
  uint64_t cached;
  uint64_t dirty;
  uint64_t writeback;
  uint64_t evicted;
  uint64_t recently_evicted;
};

// In a range whose pages are unknown, samples are taken at this distance: the kernel reads ahead by 128 KiB, so data
// that was read once is cached in pieces of about that size.
constexpr uint64_t kSampleDistance = 64 * 1024;

bool is_in_memory(int file) {
  struct statfs system {};
  if (fstatfs(file, &system) != 0) return false;
  return system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC || system.f_type == HUGETLBFS_MAGIC;
}

// Whether this byte can be read without waiting. 1, 0, or -ENOSYS.
int is_at_hand(int file, uint64_t at) {
  char byte = 0;
  const iovec part{&byte, 1};
  if (preadv2(file, &part, 1, static_cast<off_t>(at), RWF_NOWAIT) >= 0) return 1;
  if (errno == EAGAIN) return 0;
  return errno == EOPNOTSUPP && is_in_memory(file) ? 1 : -ENOSYS;
}

int sampled_residency(int file, uint64_t offset, size_t length) {
  const uint64_t last = offset + length - 1;
  for (uint64_t at = offset; at < last; at += kSampleDistance) {
    const int found = is_at_hand(file, at);
    if (found != 1) return found;
  }
  return is_at_hand(file, last);
}

}  // namespace

int open_stream(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd >= 0 ? fd : -errno;
}

int open_pair(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : -errno;
}

int accept_stream(int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) return fd;
    if (errno != EINTR) return -errno;
  }
}

int prepare_stream(int fd) { return set_flags(fd); }

ssize_t send_parts(int fd, const iovec* parts, size_t count, bool more) {
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = count;
  for (;;) {
    // A single part needs no message header, which the kernel would have to copy in and check.
    const ssize_t sent = count == 1 ? send(fd, parts->iov_base, parts->iov_len, flags) : sendmsg(fd, &message, flags);
    if (sent >= 0) return sent;
    // Out of memory: libuv treats it as a full buffer too, on every system.
    if (errno == ENOBUFS) return -EAGAIN;
    if (errno != EINTR) return -errno;
  }
}

int open_pipe(int ends[2]) { return pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0 ? 0 : -errno; }

void set_pipe_size(int fd, size_t bytes) { fcntl(fd, F_SETPIPE_SZ, static_cast<int>(bytes)); }

// A socket whose peer has closed raises SIGPIPE here, which no flag prevents; node ignores it, as libuv's own writes
// require.
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

// A broken pipe raises SIGPIPE here, which no flag prevents; node ignores that signal from startup.
ssize_t send_file(int socket, int file, uint64_t offset, size_t length) {
  for (;;) {
    auto at = static_cast<off_t>(offset);
    const ssize_t sent = sendfile(socket, file, &at, length);
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

int residency(int file, uint64_t offset, size_t length) {
  // cachestat(2), since Linux 6.5: 0.13 us for a MiB.
  CacheRange range{offset, length};
  CacheStatistics found{};
  if (syscall(kCachestat, file, &range, &found, 0) == 0) {
    const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const uint64_t pages = (offset + length + page - 1) / page - offset / page;
    if (found.cached < pages) return 0;
    // Pages that another process is currently reading in count as well: we would wait for the last of them.
    return is_at_hand(file, offset + length - 1) == 0 ? 0 : 1;
  }
  // An older kernel, a sandbox, or another user's file (EPERM since 6.14): take samples.
  return sampled_residency(file, offset, length);
}

ssize_t read_resident(int file, void* into, size_t length, int64_t offset) {
  const iovec part{into, length};
  for (int flags = RWF_NOWAIT;;) {
    const ssize_t got = preadv2(file, &part, 1, offset < 0 ? -1 : static_cast<off_t>(offset), flags);
    if (got >= 0) return got;
    // Nothing of a file in memory has to be waited for.
    if (errno == EOPNOTSUPP && flags != 0 && is_in_memory(file))
      flags = 0;
    else if (errno == EOPNOTSUPP)
      return -ENOSYS;
    else if (errno != EINTR)
      return -errno;
  }
}

int open_cached(const char* path) {
  // Non-blocking: opening a named pipe would wait for its writer.
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_CACHED;
  for (;;) {
    const long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    // A flag or call that this kernel or sandbox does not support: EINVAL before Linux 5.12, ENOSYS before 5.6. Another
    // call may succeed.
    if (errno == EINVAL || errno == ENOSYS || errno == EPERM) return -EAGAIN;
    if (errno != EINTR) return -errno;
  }
}

int is_listening(int fd) { return get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0 ? 1 : 0; }

int set_reuse_port(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1); }

// In seconds, which become a number of SYN-ACK retransmissions: one, after which a silent peer is accepted anyway. If a
// sandbox refuses, connections only arrive earlier.
void defer_accept(int fd) { set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1); }

int set_keep_alive(int fd, bool on, unsigned delay_seconds) {
  const int error = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
  if (error < 0 || !on || delay_seconds == 0) return error;
  return set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(delay_seconds));
}

namespace {

// MFD_NOEXEC_SEAL, since Linux 6.3; headers may be older. Without it, newer kernels log that a program did not state
// whether the memory is executable, and hardened ones refuse.
constexpr unsigned kNeverExecutable = 8;

}  // namespace

int create_memory_file(const char* name) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create(name, kFlags | kNeverExecutable);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, kFlags);
  return fd >= 0 ? fd : -errno;
}

int seal(int fd) {
  return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 ? 0 : -errno;
}

int64_t preemptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

}  // namespace nearwire::sys
