// Readiness of descriptors and one-shot timers; one file per platform (events_epoll.c, events_kqueue.c).
#ifndef FLOOR_EVENTS_H
#define FLOOR_EVENTS_H

#include <stdint.h>

enum { READABLE = 1u, WRITABLE = 2u };

// A descriptor under watch. It stands first in the struct that owns it, which is how the callback finds its owner.
// Level-triggered: what is left unread or unwritten is told again on the next turn.
struct watch {
  int fd;             // -1: closed
  unsigned interest;  // READABLE | WRITABLE; 0: not registered
  unsigned ready;     // set by events_wait, cleared before the callback
  void (*on_ready)(struct watch* watch, unsigned ready);
};

// Fires once, `delay` after timer_arm. A timer instead of a time-out in the wait: the kernel arms and disarms a
// time-out on every wait, which shows in a round trip of 5 us.
struct timer {
  struct watch watch;
  void (*on_fire)(struct timer* timer);
};

int events_open(void);

// Registers the watch, changes what it waits for or, with 0, takes it out. Asks the kernel only if `interest` differs.
void events_set(int queue, struct watch* watch, unsigned interest);

// Closes the descriptor, which also takes it out of the queue and out of a turn that is being handled.
void events_close(struct watch* watch);

// Waits for events and calls each ready watch once.
void events_turn(int queue);

void timer_open(int queue, struct timer* timer, void (*on_fire)(struct timer* timer));
void timer_arm(int queue, struct timer* timer, int64_t nanoseconds);
void timer_disarm(int queue, struct timer* timer);

#endif
