// The event loop as seen by its users: libuv handles whose memory outlives their close callback, and a count of the
// open ones, so that an environment can wait for the last one before it ends.
#pragma once

#include <uv.h>

#include <functional>
#include <utility>

namespace nearwire {

class Loop {
 public:
  explicit Loop(uv_loop_t* loop) : loop_(loop) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uv_loop_t* uv() const { return loop_; }
  void handle_opened() { ++open_; }
  void handle_closed() {
    --open_;
    tell_if_all_closed();
  }

  // Calls `call` once no handle is open, possibly at once. The callee may delete this.
  void when_all_closed(std::function<void()> call) {
    all_closed_ = std::move(call);
    tell_if_all_closed();
  }

 private:
  void tell_if_all_closed() {
    if (open_ > 0 || !all_closed_) return;
    auto call = std::move(all_closed_);
    all_closed_ = nullptr;
    call();
  }

  uv_loop_t* loop_;
  unsigned open_ = 0;
  std::function<void()> all_closed_;
};

// Owns one libuv handle of type T. Destroying the owner closes the handle; its memory is freed when libuv is done with
// it.
template <typename T>
class LoopHandle {
 public:
  LoopHandle() = default;
  ~LoopHandle() { close(); }
  LoopHandle(const LoopHandle&) = delete;
  LoopHandle& operator=(const LoopHandle&) = delete;

  // `init` is uv_*_init bound to its arguments: gets the handle, returns 0 or a negative errno.
  template <typename Init>
  int open(Loop& loop, void* data, Init init) {
    auto* box = new Box{{}, &loop, nullptr};
    const int error = init(&box->handle);
    if (error < 0) {
      // A handle whose init failed was never given to the loop.
      delete box;
      return error;
    }
    box->handle.data = data;
    box_ = box;
    loop.handle_opened();
    return 0;
  }

  bool is_open() const { return box_ != nullptr; }
  T* get() const { return &box_->handle; }

  // `then` is called when libuv is done with the handle: in the event loop's closing phase, after its immediates.
  void close(std::function<void()> then = nullptr) {
    if (box_ == nullptr) return;
    Box* box = box_;
    box_ = nullptr;
    box->then = std::move(then);
    uv_close(reinterpret_cast<uv_handle_t*>(&box->handle), [](uv_handle_t* handle) {
      // The handle is the first member of its box.
      auto* closed = reinterpret_cast<Box*>(handle);
      Loop* loop = closed->loop;
      const std::function<void()> then = std::move(closed->then);
      delete closed;
      // Still counted: the code that waits for the last handle must not continue before this is over.
      if (then) then();
      loop->handle_closed();
    });
  }

 private:
  struct Box {
    T handle;
    Loop* loop;
    std::function<void()> then;
  };
  Box* box_ = nullptr;
};

}  // namespace nearwire
