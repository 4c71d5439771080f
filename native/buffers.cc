#include "buffers.h"

#include <sys/socket.h>

#include <algorithm>

#include "options.h"

namespace nearwire {

namespace {

// The smallest request that grants the default size, found by trying: Linux grants twice the request.
int least_to_ask(int fd, int name) {
  const int own = sys::get_option(fd, SOL_SOCKET, name);
  if (own <= 0 || set_buffer_bytes(fd, name, own) < 0) return 0;
  const int given = std::max(sys::get_option(fd, SOL_SOCKET, name), own);
  return static_cast<int>(static_cast<int64_t>(own) * own / given);
}

int set(int fd, int name, int bytes, int least) {
  return bytes <= 0 || bytes < least ? 0 : set_buffer_bytes(fd, name, bytes);
}

}  // namespace

const SystemBuffers::Least& SystemBuffers::least(int family) {
  Least& known = family == AF_UNIX ? unix_ : family == AF_INET6 ? inet6_ : inet_;
  if (known.send != 0) return known;
  const int fd = sys::open_stream(family);
  if (fd < 0) return known;
  known = {least_to_ask(fd, SO_SNDBUF), least_to_ask(fd, SO_RCVBUF)};
  sys::close_descriptor(fd);
  return known;
}

int SystemBuffers::apply(int fd, int family, const BufferWish& wish) {
  if (wish.send <= 0 && wish.recv <= 0) return 0;
  const Least floor = wish.may_be_small ? Least{} : least(family);
  const int error = set(fd, SO_SNDBUF, wish.send, floor.send);
  const int other = set(fd, SO_RCVBUF, wish.recv, floor.recv);
  return error < 0 ? error : other;
}

}  // namespace nearwire
