#include "listener.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "diag.h"
#include "engine.h"
#include "sys.h"
#include "tally.h"

namespace nearwire {

namespace {

// Connections accepted per wake-up: a flood of connects must not starve open connections.
constexpr int kAcceptsPerTurn = 64;
// How long a listener pauses accepting when it cannot accept: the pending event would be reported again and again.
// Freeing descriptors takes about as long, and a peer in the queue is not affected.
constexpr uint64_t kRestMillis = 50;
// How long it pauses for a connection that another process should accept: the shortest timer.
constexpr uint64_t kLookAwayMillis = 1;

// Whether connections inherit the buffers of their listener. TCP's do, and use them for the window offered in the
// handshake.
bool accepted_inherit(int family) { return sys::kAcceptedInheritBuffers || family != AF_UNIX; }
// Connections in a listener's accept queue; 0 if the system does not report it.
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
    error = engine_->system_buffers().apply(fd, address.family(), options.connection.buffers);
  }
  if (error == 0) error = address.bind(fd);
  const bool is_file = is_path && !path.empty() && path[0] != '\0';
  if (error == 0 && is_file) remember_file(path);
  // libuv, and thus node, reports a missing directory as EACCES when listening.
  if (is_path && error == -ENOENT) error = -EACCES;
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
  if (error < 0) {
    remove_file();
    sys::close_descriptor(fd);
  }
  return error;
}

void Listener::remember_file(const std::string& path) {
  std::error_code error;
  file_path_ = std::filesystem::absolute(path, error).string();
  if (error || sys::identify(file_path_.c_str(), &file_) < 0) file_path_.clear();
}

void Listener::remove_file() {
  if (file_path_.empty()) return;
  sys::FileIdentity found;
  if (sys::identify(file_path_.c_str(), &found) == 0 && found.device == file_.device && found.inode == file_.inode) {
    sys::remove_file(file_path_.c_str());
  }
  file_path_.clear();
}

int Listener::adopt(int fd, int family, const ListenOptions& options) {
  int error = 0;
  if (accepted_inherit(family)) {
    error = engine_->system_buffers().apply(fd, family, options.connection.buffers);
  }
  if (error == 0) error = sys::listen_on(fd, options.backlog);
  if (error == 0) error = sys::prepare_stream(fd);
  return error == 0 ? start(fd, family, options) : error;
}

int Listener::start(int fd, int family, const ListenOptions& options) {
  if (options.defer_accept && family != AF_UNIX) sys::defer_accept(fd);
  const int error = watcher_.watch(engine_->loop(), fd, this, true, false);
  if (error < 0) {
    watcher_.close();
    return error;
  }
  fd_ = fd;
  family_ = family;
  options_ = options.connection;
  return 0;
}

int Listener::update_interest() {
  const bool accepts = limit_ != 0 && !resting_;
  if (seat_) seat_->set_open(accepts);
  return watcher_.watch(engine_->loop(), fd_, this, accepts && !looking_away_, false);
}

int Listener::set_limit(int limit) {
  limit_ = limit;
  return update_interest();
}

int Listener::share(std::shared_ptr<Balance> balance, int32_t place) {
  if (seat_ || !balance || !balance->is_open() || place < 0) return -EINVAL;
  if (static_cast<uint32_t>(place) >= Balance::kPlaces) return -EINVAL;
  seat_ = std::make_unique<Seat>(std::move(balance), static_cast<uint32_t>(place));
  return update_interest();
}

void Listener::count(uint32_t handed, uint32_t open) {
  if (seat_) seat_->count(handed, open);
}

void Listener::set_ref(bool ref) {
  ref_ = ref;
  watcher_.set_ref(ref);
  if (!rest_timer_.is_open()) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(rest_timer_.get());
  if (ref) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Listener::close() {
  if (fd_ < 0) return;
  limit_ = kNoLimit;
  resting_ = false;
  looking_away_ = false;
  seat_.reset();
  ref_ = true;
  rest_timer_.close();
  watcher_.close();
  sys::close_descriptor(fd_);
  fd_ = -1;
  file_path_.clear();
}

void Listener::rest() {
  resting_ = start_timer(kRestMillis);
  update_interest();
}

void Listener::look_away() {
  looking_away_ = start_timer(kLookAwayMillis);
  update_interest();
}

bool Listener::start_timer(uint64_t millis) {
  if (!rest_timer_.is_open()) {
    const auto init = [this](uv_timer_t* timer) { return uv_timer_init(engine_->loop().uv(), timer); };
    if (rest_timer_.open(engine_->loop(), this, init) < 0) return false;
    set_ref(ref_);
  }
  const auto resume = [](uv_timer_t* timer) { static_cast<Listener*>(timer->data)->resume(); };
  return uv_timer_start(rest_timer_.get(), resume, millis, 0) == 0;
}

void Listener::resume() {
  engine_->restore_spare();
  resting_ = false;
  looking_away_ = false;
  update_interest();
}

// Out of descriptors: closes the spare one to accept the connection at the head of the queue and close it at once, so
// that its peer notices. Returns 0, or accept's error if there is no spare one either. Where accept() itself drops the
// connection, that has already happened.
int Listener::shed_one() {
  if (!sys::kAcceptDropsAtLimit) {
    engine_->drop_spare();
    const int fd = sys::accept_stream(fd_);
    if (fd >= 0) sys::close_descriptor(fd);
    engine_->restore_spare();
    if (fd < 0) return fd;
  }
  engine_->count_drop();
  if (options_.tally) options_.tally->note_shed();
  return 0;
}

// If other processes share the socket: whether the next connection is for this process.
bool Listener::is_to_take() {
  switch (seat_->look(uv_now(engine_->loop().uv()))) {
    case Seat::Step::kTake:
      return true;
    case Seat::Step::kLeave:
      // The process that should accept it may be waiting for this core.
      sys::yield_core();
      return false;
    case Seat::Step::kLookAway:
      look_away();
      return false;
  }
  return true;
}

void Listener::on_ready(bool, bool) {
  if (seat_ && !is_to_take()) return;
  if (options_.tally) options_.tally->note_turn(engine_->turn().number() + 1);
  const int taken = accept_batch();
  if (options_.tally) note_depth(taken);
}

// Connections accepted in one batch were waiting before, and those that the kernel reports after a full batch still
// are. The kernel is queried once per flood, at its first batch: a query costs as much as several accepts.
void Listener::note_depth(int taken) {
  auto depth = static_cast<uint64_t>(taken);
  const bool full = taken == kAcceptsPerTurn;
  if (full && !flooded_) depth += waiting(fd_);
  flooded_ = full;
  options_.tally->note_queue(depth);
}

// Returns the number of connections taken from the queue, including those that were only closed.
int Listener::accept_batch() {
  int taken = 0;
  int dropped = 0;
  int why = 0;
  for (int i = 0; i < kAcceptsPerTurn && engine_->turn().has_room(); ++i) {
    if (limit_ == 0) {
      update_interest();
      break;
    }
    if (seat_ && !seat_->has_room()) break;
    const int error = accept_one();
    if (error == 0) ++taken;
    // The peer disconnected while it was in the queue.
    if (error == 0 || error == -ECONNABORTED) continue;
    if (error == -EAGAIN) break;
    if (error != -EMFILE && error != -ENFILE) {
      engine_->turn().push({id_, Event::kAcceptError, error, 0});
      if (error == -ENOBUFS || error == -ENOMEM) rest();
      break;
    }
    why = error;
    const int left = shed_one();
    if (left == 0) {
      ++dropped;
      continue;
    }
    // Another process on the same socket has accepted it.
    if (left == -EAGAIN) break;
    engine_->turn().report({id_, Event::kDropped, 0, why});
    rest();
    break;
  }
  if (dropped > 0) engine_->turn().report({id_, Event::kDropped, dropped, why});
  return taken + dropped;
}

int Listener::accept_one() {
  const int fd = sys::accept_stream(fd_);
  if (fd < 0) return fd;
  engine_->count_accept();
  if (options_.tally) options_.tally->note_accepted();
  if (limit_ > 0) --limit_;
  if (seat_) seat_->note_accepted();
  Connection* connection = engine_->new_connection();
  engine_->turn().push({id_, Event::kAccept, connection->id(), 0});
  // Reads at once: a peer that connects usually has something to send.
  connection->open(fd, options_, family_);
  return 0;
}

}  // namespace nearwire
