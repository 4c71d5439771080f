#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "events.h"
#include "process.h"

int events_open(void) {
  int queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) die("epoll_create1", errno);
  return queue;
}

void events_set(int queue, struct watch* watch, unsigned interest) {
  if (watch->interest == interest) return;
  struct epoll_event event = {.data.ptr = watch};
  if (interest & READABLE) event.events |= EPOLLIN;
  if (interest & WRITABLE) event.events |= EPOLLOUT;
  int operation = watch->interest == 0 ? EPOLL_CTL_ADD : interest == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  if (epoll_ctl(queue, operation, watch->fd, &event) < 0) die("epoll_ctl", errno);
  watch->interest = interest;
}

static unsigned readiness(uint32_t events, unsigned interest) {
  // A broken or hung-up socket is told to whoever waits, so that the next call meets the error.
  if (events & (EPOLLERR | EPOLLHUP)) return interest;
  return (events & EPOLLIN ? READABLE : 0u) | (events & EPOLLOUT ? WRITABLE : 0u);
}

void events_turn(int queue) {
  struct epoll_event events[EVENTS_PER_TURN];
  int count = epoll_wait(queue, events, EVENTS_PER_TURN, -1);
  if (count < 0) {
    if (errno == EINTR) return;
    die("epoll_wait", errno);
  }
  for (int i = 0; i < count; i++) {
    struct watch* watch = events[i].data.ptr;
    watch->ready = readiness(events[i].events, watch->interest);
  }
  for (int i = 0; i < count; i++) events_tell(events[i].data.ptr);
}

static void on_expired(struct watch* watch, unsigned ready) {
  (void)ready;
  struct timer* timer = (struct timer*)watch;
  uint64_t expirations;
  // EAGAIN: armed anew after it had expired, by a callback of this very turn.
  if (read(watch->fd, &expirations, sizeof expirations) == (ssize_t)sizeof expirations) timer->on_fire(timer);
}

void timer_open(int queue, struct timer* timer, void (*on_fire)(struct timer* timer)) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) die("timerfd_create", errno);
  timer->watch = (struct watch){.fd = fd, .on_ready = on_expired};
  timer->on_fire = on_fire;
  events_set(queue, &timer->watch, READABLE);
}

static void set_timer(struct timer* timer, int64_t nanoseconds) {
  const int64_t second = 1000000000;
  struct itimerspec when = {.it_value = {.tv_sec = nanoseconds / second, .tv_nsec = nanoseconds % second}};
  if (timerfd_settime(timer->watch.fd, 0, &when, NULL) < 0) die("timerfd_settime", errno);
}

void timer_arm(int queue, struct timer* timer, int64_t nanoseconds) {
  (void)queue;
  set_timer(timer, nanoseconds > 0 ? nanoseconds : 1);  // 0 would disarm
}

void timer_disarm(int queue, struct timer* timer) {
  (void)queue;
  set_timer(timer, 0);
}
