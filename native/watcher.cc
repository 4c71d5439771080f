#include "watcher.h"

namespace nearwire {

int Watcher::open(Loop& loop, int fd) {
  if (poll_.is_open()) return 0;
  const int error = poll_.open(loop, this, [&](uv_poll_t* poll) { return uv_poll_init(loop.uv(), poll, fd); });
  if (error == 0 && !ref_) uv_unref(reinterpret_cast<uv_handle_t*>(poll_.get()));
  return error;
}

int Watcher::watch(Loop& loop, int fd, Target* target, bool readable, bool writable) {
  const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (events == events_) return 0;
  const int error = open(loop, fd);
  if (error < 0) return error;
  target_ = target;
  events_ = events;
  if (events == 0) return uv_poll_stop(poll_.get());
  return uv_poll_start(poll_.get(), events, on_poll);
}

void Watcher::on_poll(uv_poll_t* poll, int status, int ready) {
  auto* watcher = static_cast<Watcher*>(poll->data);
  if (status < 0) {
    // On POLLERR libuv reports a failed status and stops watching. The socket's own calls return the error, but perhaps
    // not in this turn: data before it is read first, and a turn has limited room.
    uv_poll_start(poll, watcher->events_, on_poll);
    ready = UV_READABLE | UV_WRITABLE;
  }
  watcher->target_->on_ready((ready & UV_READABLE) != 0, (ready & UV_WRITABLE) != 0);
}

void Watcher::set_ref(bool ref) {
  ref_ = ref;
  if (!poll_.is_open()) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(poll_.get());
  if (ref) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Watcher::close() {
  poll_.close();
  events_ = 0;
  ref_ = true;
}

}  // namespace nearwire
