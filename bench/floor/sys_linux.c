#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "process.h"

static int queue;

void events_open(void) {
  queue = epoll_create1(EPOLL_CLOEXEC);
  if (queue < 0) err(EXIT_FAILURE, "epoll_create1");
}

void events_set(struct watch* watch, unsigned interest) {
  if (watch->interest == interest) return;
  struct epoll_event event = {.data.ptr = watch};
  if (interest & READABLE) event.events |= EPOLLIN;
  if (interest & WRITABLE) event.events |= EPOLLOUT;
  int operation = watch->interest == 0 ? EPOLL_CTL_ADD : interest == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  if (epoll_ctl(queue, operation, watch->fd, &event) < 0) err(EXIT_FAILURE, "epoll_ctl");
  watch->interest = interest;
}

static unsigned readiness(uint32_t events, unsigned interest) {
  // A failed or hung-up socket counts as ready for whatever its watch waits for, so that the next call meets the error.
  if (events & (EPOLLERR | EPOLLHUP)) return interest;
  return (events & EPOLLIN ? READABLE : 0u) | (events & EPOLLOUT ? WRITABLE : 0u);
}

void events_turn(void) {
  struct epoll_event events[EVENTS_PER_TURN];
  int count = epoll_wait(queue, events, EVENTS_PER_TURN, -1);
  if (count < 0 && errno != EINTR) err(EXIT_FAILURE, "epoll_wait");
  for (int i = 0; i < count; i++) {
    struct watch* watch = events[i].data.ptr;
    watch->ready = readiness(events[i].events, watch->interest);
  }
  for (int i = 0; i < count; i++) events_tell(events[i].data.ptr);
}

void timer_open(struct watch* timer, void (*on_ready)(struct watch* timer, unsigned ready)) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  *timer = (struct watch){.fd = fd, .interest = READABLE, .on_ready = on_ready};
  // Edge-triggered: reported once when it expires, and not again until it has been read.
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = timer};
  if (fd < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) < 0) err(EXIT_FAILURE, "timerfd");
}

void timer_arm(struct watch* timer, int64_t nanoseconds) {
  const int64_t second = 1000000000;
  int64_t delay = nanoseconds > 0 ? nanoseconds : 1;  // 0 would disarm it
  struct itimerspec when = {.it_value = {.tv_sec = delay / second, .tv_nsec = delay % second}};
  if (timerfd_settime(timer->fd, 0, &when, NULL) < 0) err(EXIT_FAILURE, "timerfd_settime");
  timer->ready = 0;
}

int sys_socket(int domain) {
  int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) err(EXIT_FAILURE, "socket");
  return fd;
}

int sys_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

ptrdiff_t sys_send_more(int to, const char* data, size_t length) { return send(to, data, length, MSG_MORE); }

ptrdiff_t sys_send_file(int to, int file, int64_t offset, size_t count) {
  off_t from = offset;
  return sendfile(to, file, &from, count);
}

int sys_memory_file(const char* data, size_t length) {
  int fd = memfd_create("floor", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, length) != (ptrdiff_t)length) err(EXIT_FAILURE, "a file in memory");
  return fd;
}

bool sys_pipe(int ends[2], size_t capacity) {
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) err(EXIT_FAILURE, "pipe");
  // Refused if the pipes of a user have reached their limit: then it keeps its 64 KiB.
  fcntl(ends[1], F_SETPIPE_SZ, (int)capacity);
  return true;
}

ptrdiff_t sys_splice(int from, int to, size_t count) {
  return splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

int64_t sys_resident_bytes(void) {
  FILE* file = fopen("/proc/self/statm", "re");
  long resident;
  if (file == NULL || fscanf(file, "%*d %ld", &resident) != 1) errx(EXIT_FAILURE, "/proc/self/statm can't be read");
  fclose(file);
  return (int64_t)resident * sysconf(_SC_PAGESIZE);
}
