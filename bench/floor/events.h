// Readiness of descriptors and one-shot timers; one file per platform (events_epoll.c, events_kqueue.c).
#ifndef FLOOR_EVENTS_H
#define FLOOR_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

enum { READABLE = 1u, WRITABLE = 2u };

// One wait brings at most this many: enough to spread its cost, small enough to stay in the cache.
enum { EVENTS_PER_TURN = 256 };

// A descriptor under watch. It stands first in the struct that owns it, which is how the callback finds its owner.
// Level-triggered: what is left unread or unwritten is told again on the next turn.
struct watch {
  int fd;             // -1: closed
  unsigned interest;  // READABLE | WRITABLE; 0: not registered
  unsigned ready;     // set by events_turn, cleared before the callback
  void (*on_ready)(struct watch* watch, unsigned ready);
};

// Fires once, `delay` after timer_arm. A timer instead of a time-out in the wait: the kernel arms and disarms a
// time-out on every wait, which shows in a round trip of 5 us.
struct timer {
  struct watch watch;
  void (*on_fire)(struct timer* timer);
};

// Of what stands elsewhere in a struct, the struct.
#define OWNER_OF(member, type, name) ((type*)((char*)(member)-offsetof(type, name)))

int events_open(void);

// Registers the watch, changes what it waits for or, with 0, takes it out. Asks the kernel only if `interest` differs.
void events_set(int queue, struct watch* watch, unsigned interest);

// Takes the watch out of a turn that is being handled: its descriptor, which the caller gets, is to be closed before
// the next one, and leaves the queue thereby.
static inline int events_let_go(struct watch* watch) {
  int fd = watch->fd;
  watch->fd = -1;
  watch->interest = 0;
  watch->ready = 0;
  return fd;
}

static inline void events_close(struct watch* watch) { close(events_let_go(watch)); }

// Waits for events and calls each ready watch once.
void events_turn(int queue);

// Calls a watch that has become ready in this turn, and has not been closed since.
static inline void events_tell(struct watch* watch) {
  unsigned ready = watch->ready;
  watch->ready = 0;
  if (ready != 0) watch->on_ready(watch, ready);
}

void timer_open(int queue, struct timer* timer, void (*on_fire)(struct timer* timer));
void timer_arm(int queue, struct timer* timer, int64_t nanoseconds);
void timer_disarm(int queue, struct timer* timer);

#endif
