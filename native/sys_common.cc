#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "sys.h"

namespace nearwire::sys {

namespace {

// Runs a call until it is not interrupted by a signal, and turns its errno into the result.
template <typename Call>
auto uninterrupted(Call call) -> decltype(call()) {
  for (;;) {
    auto result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

// Whether an open stream socket has the path. A connect of another socket type then returns EPROTOTYPE, before the
// state of the queue is checked, and ECONNREFUSED for a file whose socket is gone (XNU's unp_connect, FreeBSD's
// unp_connectat, Linux's unix_find_bsd).
bool is_bound(const sockaddr* address, socklen_t length) {
  const int probe = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (probe < 0) return false;
  set_flags(probe);
  const bool other_type = connect(probe, address, length) < 0 && errno == EPROTOTYPE;
  close(probe);
  return other_type;
}

}  // namespace

ssize_t receive(int fd, void* into, size_t length) {
  return uninterrupted([&] { return recv(fd, into, length, MSG_DONTWAIT); });
}

ssize_t read_bytes(int fd, void* into, size_t length) {
  return uninterrupted([&] { return read(fd, into, length); });
}

ssize_t write_at(int file, const void* bytes, size_t length, int64_t offset) {
  return uninterrupted([&] {
    return offset < 0 ? write(file, bytes, length) : pwrite(file, bytes, length, static_cast<off_t>(offset));
  });
}

ssize_t receive_parts(int fd, const iovec* parts, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  return uninterrupted([&] { return recvmsg(fd, &message, MSG_DONTWAIT); });
}

int connect_to(int fd, const sockaddr* address, socklen_t length) {
  if (connect(fd, address, length) == 0) return 0;
  const int error = -errno;
  if (kRefusesWhenFull && error == -ECONNREFUSED && address->sa_family == AF_UNIX) {
    return is_bound(address, length) ? -EAGAIN : error;
  }
  // An interrupted connect continues in the background, as if it were non-blocking (POSIX).
  return error == -EINTR ? -EINPROGRESS : error;
}

int bind_to(int fd, const sockaddr* address, socklen_t length) { return bind(fd, address, length) == 0 ? 0 : -errno; }

int listen_on(int fd, int backlog) { return listen(fd, std::min(backlog, kLargestBacklog)) == 0 ? 0 : -errno; }

int stream_family(int fd) {
  const int type = get_option(fd, SOL_SOCKET, SO_TYPE);
  if (type < 0) return type;
  sockaddr_storage name{};
  socklen_t length = 0;
  const int error = socket_name(fd, &name, &length);
  if (error < 0) return error;
  const int family = name.ss_family;
  const bool known = family == AF_UNIX || family == AF_INET || family == AF_INET6;
  return known && type == SOCK_STREAM ? family : -EINVAL;
}

// Never the number of a standard stream: see close_descriptor.
int duplicate(int fd) {
  return uninterrupted([fd] { return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); });
}

int set_flags(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  const bool done = flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
  return done ? 0 : -errno;
}

int shutdown_write(int fd) { return shutdown(fd, SHUT_WR) == 0 ? 0 : -errno; }

// Not repeated on EINTR: the descriptor is closed by then, and another thread may already have the number. An adopted
// standard stream stays open, as libuv does it: otherwise the next socket would get the number, and receive what is
// printed.
void close_descriptor(int fd) {
  if (fd > STDERR_FILENO) close(fd);
}

ssize_t read_at(int file, void* into, size_t length, uint64_t offset) {
  return uninterrupted([&] { return pread(file, into, length, static_cast<off_t>(offset)); });
}

int identify_file(int fd, uint64_t* device, uint64_t* inode) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return -errno;
  if (!S_ISREG(status.st_mode)) return -ESPIPE;
  *device = static_cast<uint64_t>(status.st_dev);
  *inode = static_cast<uint64_t>(status.st_ino);
  return 0;
}

int file_size(int fd, uint64_t* size, int64_t* modified) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return -errno;
  if (S_ISDIR(status.st_mode)) return -EISDIR;
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) return -ESPIPE;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  if ((flags & O_ACCMODE) == O_WRONLY) return -EBADF;
  if ((flags & kUnreadableFlags) != 0) return -EINVAL;
  if (!S_ISREG(status.st_mode)) return 0;
  *size = static_cast<uint64_t>(status.st_size);
  *modified = static_cast<int64_t>(status.st_mtime);
  return 0;
}

void close_with_reset(int fd) {
  const linger discard{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &discard, sizeof discard);
  close_descriptor(fd);
}

int pending_error(int fd) {
  const int error = get_option(fd, SOL_SOCKET, SO_ERROR);
  return error > 0 ? -error : error;
}

int set_mode(const char* path, unsigned mode) { return chmod(path, static_cast<mode_t>(mode)) == 0 ? 0 : -errno; }

size_t descriptor_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < SIZE_MAX ? limit.rlim_cur : SIZE_MAX;
}

int identify(const char* path, FileIdentity* found) {
  struct stat status {};
  if (lstat(path, &status) != 0) return -errno;
  *found = {static_cast<uint64_t>(status.st_dev), static_cast<uint64_t>(status.st_ino)};
  return 0;
}

int remove_file(const char* path) { return unlink(path) == 0 ? 0 : -errno; }

int open_spare() {
  return uninterrupted([] { return open("/dev/null", O_RDONLY | O_CLOEXEC); });
}

int set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

int get_option(int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}

int set_option_bytes(int fd, int level, int name, const void* value, size_t size) {
  return setsockopt(fd, level, name, value, static_cast<socklen_t>(size)) == 0 ? 0 : -errno;
}

int get_option_bytes(int fd, int level, int name, void* value, size_t size) {
  auto length = static_cast<socklen_t>(size);
  return getsockopt(fd, level, name, value, &length) == 0 ? 0 : -errno;
}

int is_blocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  return (flags & O_NONBLOCK) == 0 ? 1 : 0;
}

int set_reuse_address(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); }

int set_ipv6_only(int fd, bool on) { return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, on ? 1 : 0); }

int set_no_delay(int fd, bool on) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0); }

int socket_name(int fd, sockaddr_storage* name, socklen_t* length) {
  *length = sizeof *name;
  return getsockname(fd, reinterpret_cast<sockaddr*>(name), length) == 0 ? 0 : -errno;
}

int peer_name(int fd, sockaddr_storage* name, socklen_t* length) {
  *length = sizeof *name;
  return getpeername(fd, reinterpret_cast<sockaddr*>(name), length) == 0 ? 0 : -errno;
}

int map_private(int fd, size_t length, void** at) {
  void* mapped = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (mapped == MAP_FAILED) return -errno;
  *at = mapped;
  return 0;
}

void unmap(void* at, size_t length) { munmap(at, length); }

bool has_hung_up(int fd) {
  pollfd asked{fd, 0, 0};
  return uninterrupted([&] { return poll(&asked, 1, 0); }) > 0 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

int unread_bytes(int fd) {
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : -errno;
}

void yield_core() { sched_yield(); }

}  // namespace nearwire::sys
