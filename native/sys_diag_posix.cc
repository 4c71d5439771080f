// POSIX reports nothing about other processes' sockets, and about our own only what getsockopt returns.
#include <cerrno>

#include "sys_describe.h"

namespace nearwire::diag {

int unix_sockets(Which, std::vector<UnixSocket>*) { return -ENOSYS; }

int unix_socket(uint64_t, UnixSocket*) { return -ENOSYS; }

int waiting_clients(uint64_t, std::vector<uint64_t>*) { return -ENOSYS; }

int tcp_listeners(unsigned, std::vector<TcpListener>*) { return -ENOSYS; }

int describe_socket(int fd, Description* found) {
  const int error = describe_basics(fd, found);
  if (error < 0) return error;
  if (!found->listening) found->unread = bytes_by(fd, FIONREAD);
  return 0;
}

}  // namespace nearwire::diag
