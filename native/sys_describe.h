// What getsockopt and getsockname report of a descriptor on every system.
#pragma once

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "diag.h"
#include "sys.h"

namespace nearwire::diag {

// A number of bytes that an ioctl returns; nothing if it does not apply.
inline std::optional<uint64_t> bytes_by(int fd, unsigned long request) {
  int bytes = 0;
  if (ioctl(fd, request, &bytes) != 0 || bytes < 0) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

// Family, type, names, buffers, and whether it listens or is connected.
inline int describe_basics(int fd, Description* found) {
  const int type = sys::get_option(fd, SOL_SOCKET, SO_TYPE);
  if (type < 0) return type;
  found->type = type;
  const int error = sys::socket_name(fd, &found->local, &found->local_length);
  if (error < 0) return error;
  found->family = found->local.ss_family;
  found->listening = sys::is_listening(fd) == 1;
  found->connected = sys::peer_name(fd, &found->peer, &found->peer_length) == 0;
  const int send = sys::get_option(fd, SOL_SOCKET, SO_SNDBUF);
  const int recv = sys::get_option(fd, SOL_SOCKET, SO_RCVBUF);
  found->send_buffer = send > 0 ? static_cast<uint64_t>(send) : 0;
  found->recv_buffer = recv > 0 ? static_cast<uint64_t>(recv) : 0;
  return 0;
}

}  // namespace nearwire::diag
