#include <sys/types.h>
// after sys/types.h, which the BSD header leans on
#include <errno.h>
#include <stddef.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "events.h"
#include "process.h"

int events_open(void) {
  int queue = kqueue();
  if (queue < 0) die("kqueue", errno);
  return queue;
}

static void submit(int queue, struct kevent* change) {
  while (kevent(queue, change, 1, NULL, 0, NULL) < 0) {
    if (errno != EINTR) die("kevent", errno);
  }
}

static void set_filter(int queue, struct watch* watch, int16_t filter, unsigned bit, unsigned interest) {
  if (((watch->interest ^ interest) & bit) == 0) return;
  struct kevent change;
  EV_SET(&change, (uintptr_t)watch->fd, filter, interest & bit ? EV_ADD : EV_DELETE, 0, 0, watch);
  submit(queue, &change);
}

void events_set(int queue, struct watch* watch, unsigned interest) {
  set_filter(queue, watch, EVFILT_READ, READABLE, interest);
  set_filter(queue, watch, EVFILT_WRITE, WRITABLE, interest);
  watch->interest = interest;
}

void events_turn(int queue) {
  struct kevent events[EVENTS_PER_TURN];
  int count = kevent(queue, NULL, 0, events, EVENTS_PER_TURN, NULL);
  if (count < 0) {
    if (errno == EINTR) return;
    die("kevent", errno);
  }
  // Reading and writing come as two events: joined here, so that each watch is called once, as with epoll.
  for (int i = 0; i < count; i++) {
    struct watch* watch = events[i].udata;
    watch->ready |= events[i].filter == EVFILT_WRITE ? WRITABLE : READABLE;
  }
  for (int i = 0; i < count; i++) events_tell(events[i].udata);
}

static void on_expired(struct watch* watch, unsigned ready) {
  (void)ready;
  struct timer* timer = (struct timer*)watch;
  timer->on_fire(timer);
}

void timer_open(int queue, struct timer* timer, void (*on_fire)(struct timer* timer)) {
  (void)queue;
  timer->watch = (struct watch){.fd = -1, .on_ready = on_expired};
  timer->on_fire = on_fire;
}

void timer_arm(int queue, struct timer* timer, int64_t nanoseconds) {
  struct kevent change;
  int64_t delay = nanoseconds > 0 ? nanoseconds : 1;
  EV_SET(&change, (uintptr_t)timer, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_NSECONDS, delay, &timer->watch);
  submit(queue, &change);
  timer->watch.ready = 0;  // an expiry of this very turn is void
}

void timer_disarm(int queue, struct timer* timer) {
  struct kevent change;
  EV_SET(&change, (uintptr_t)timer, EVFILT_TIMER, EV_DELETE, 0, 0, NULL);
  // ENOENT: it has fired already
  if (kevent(queue, &change, 1, NULL, 0, NULL) < 0 && errno != ENOENT) die("kevent", errno);
  timer->watch.ready = 0;
}
