// Readiness of one descriptor. It is registered with the event loop only when first watched: a connection that is read,
// answered and closed within a turn never is.
#pragma once

#include <uv.h>

#include "loop.h"

namespace nearwire {

class Watcher {
 public:
  class Target {
   public:
    virtual void on_ready(bool readable, bool writable) = 0;

   protected:
    ~Target() = default;
  };

  // Registers the descriptor before the first watch, and makes it non-blocking: -EEXIST if the event loop has it
  // already.
  int open(Loop& loop, int fd);
  // Watches for exactly these events from now on; none means "stop". Cheap if nothing changes.
  int watch(Loop& loop, int fd, Target* target, bool readable, bool writable);
  void set_ref(bool ref);
  // Call before the descriptor is closed.
  void close();

 private:
  static void on_poll(uv_poll_t* poll, int status, int ready);

  Target* target_ = nullptr;
  LoopHandle<uv_poll_t> poll_;
  int events_ = 0;
  bool ref_ = true;
};

}  // namespace nearwire
