#include "listener.h"

#include <cerrno>

#include "diag.h"
#include "engine.h"
#include "sys.h"
#include "tally.h"

namespace nearwire {

namespace {

// Connections taken per wake-up: a flood of connects must not starve those already open.
constexpr int kAcceptsPerTurn = 64;

// Whether connections have the buffers of their listener. TCP's do, and offer a window by them in the handshake.
bool accepted_inherit(int family) { return sys::kAcceptedInheritBuffers || family != AF_UNIX; }
// Connections in a listener's queue; 0 where the system does not tell.
uint64_t waiting(int fd) {
  diag::Description found;
  if (diag::describe_socket(fd, &found) < 0) return 0;
  if (found.queued) return *found.queued;
  diag::UnixSocket socket;
  return found.family == AF_UNIX && diag::unix_socket(found.id, &socket) == 0 ? socket.queued.value_or(0) : 0;
}

}  // namespace

int Listener::bind_and_listen(int fd, const Address& address, const std::string& path, const ListenOptions& options) {
  int error = 0;
  const bool is_path = address.family() == AF_UNIX;
  if (!is_path) error = sys::set_reuse_address(fd);
  if (error == 0 && options.reuse_port) error = sys::set_reuse_port(fd);
  if (error == 0 && address.family() == AF_INET6) error = sys::set_ipv6_only(fd, options.ipv6_only);
  if (error == 0 && accepted_inherit(address.family())) {
    error = engine_->system_buffers().apply(fd, address.family(), options.channel.buffers);
  }
  if (error == 0) error = sys::bind_to(fd, address.get(), address.length);
  // libuv, and so node, calls a missing directory EACCES when listening.
  if (is_path && error == -ENOENT) error = -EACCES;
  const bool is_file = is_path && !path.empty() && path[0] != '\0';
  if (error == 0 && is_file && options.mode >= 0)
    error = sys::set_mode(path.c_str(), static_cast<unsigned>(options.mode));
  if (error == 0) error = sys::listen_on(fd, options.backlog);
  return error;
}

int Listener::open(const Address& address, const std::string& path, const ListenOptions& options) {
  const int fd = sys::open_stream(address.family());
  if (fd < 0) return fd;
  int error = bind_and_listen(fd, address, path, options);
  if (error == 0) error = start(fd, address.family(), options);
  if (error < 0) sys::close_descriptor(fd);
  return error;
}

int Listener::adopt(int fd, int family, const ListenOptions& options) {
  int error = 0;
  if (accepted_inherit(family)) {
    error = engine_->system_buffers().apply(fd, family, options.channel.buffers);
  }
  if (error == 0) error = sys::listen_on(fd, options.backlog);
  if (error == 0) error = sys::prepare_stream(fd);
  return error == 0 ? start(fd, family, options) : error;
}

int Listener::start(int fd, int family, const ListenOptions& options) {
  const int error = watcher_.watch(engine_->loop(), fd, this, true, false);
  if (error < 0) {
    watcher_.close();
    return error;
  }
  fd_ = fd;
  family_ = family;
  options_ = options.channel;
  return 0;
}

int Listener::set_limit(int limit) {
  limit_ = limit;
  return watcher_.watch(engine_->loop(), fd_, this, limit != 0, false);
}

void Listener::close() {
  if (fd_ < 0) return;
  limit_ = kNoLimit;
  watcher_.close();
  sys::close_descriptor(fd_);
  fd_ = -1;
}

// Out of descriptors: the connection at the head of the queue would make the loop spin. The spare descriptor is given
// up for a moment to accept it and close it, so that its peer is told at once.
bool Listener::shed_one() {
  // accept() itself has done it.
  if (sys::kAcceptDropsAtLimit) return true;
  engine_->drop_spare();
  const int fd = sys::accept_stream(fd_);
  if (fd >= 0) sys::close_descriptor(fd);
  if (fd >= 0 && options_.tally) options_.tally->note_shed();
  engine_->restore_spare();
  return fd >= 0;
}

void Listener::on_ready(bool, bool) {
  if (options_.tally) options_.tally->note_turn(engine_->turn().number() + 1);
  const int taken = accept_batch();
  if (options_.tally) note_depth(taken);
}

// What was taken in one go had been waiting, and what the kernel tells of after a full batch still does. The kernel is
// asked once a flood, at its first batch: to ask costs as much as some accepts.
void Listener::note_depth(int taken) {
  auto depth = static_cast<uint64_t>(taken);
  const bool full = taken == kAcceptsPerTurn;
  if (full && !flooded_) depth += waiting(fd_);
  flooded_ = full;
  options_.tally->note_queue(depth);
}

// Answers how many connections it has taken from the queue.
int Listener::accept_batch() {
  Turn& turn = engine_->turn();
  int taken = 0;
  for (int i = 0; i < kAcceptsPerTurn && turn.has_room(); ++i) {
    if (limit_ == 0) {
      watcher_.watch(engine_->loop(), fd_, this, false, false);
      break;
    }
    const int fd = sys::accept_stream(fd_);
    if (fd == -EAGAIN) break;
    // The peer gave up while it waited in the queue.
    if (fd == -ECONNABORTED) continue;
    if (fd == -EMFILE || fd == -ENFILE) {
      if (!shed_one()) break;
      ++taken;
      continue;
    }
    if (fd < 0) {
      turn.push({id_, Event::kAcceptError, fd, 0});
      break;
    }
    ++taken;
    engine_->count_accept();
    if (options_.tally) options_.tally->note_accepted();
    if (limit_ > 0) --limit_;
    Channel* channel = engine_->new_channel();
    turn.push({id_, Event::kAccept, channel->id(), 0});
    // Reads at once: a peer that connects has mostly something to say.
    channel->open(fd, options_, family_);
  }
  return taken;
}

}  // namespace nearwire
