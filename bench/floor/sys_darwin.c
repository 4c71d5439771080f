#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mach/mach.h>
#include <stdlib.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#include "process.h"

static int queue;

void events_open(void) {
  queue = kqueue();
  if (queue < 0) err(EXIT_FAILURE, "kqueue");
}

static void submit(struct kevent change) {
  while (kevent(queue, &change, 1, NULL, 0, NULL) < 0) {
    if (errno != EINTR) err(EXIT_FAILURE, "kevent");
  }
}

static void set_filter(struct watch* watch, int16_t filter, unsigned bit, unsigned interest) {
  if (((watch->interest ^ interest) & bit) == 0) return;
  struct kevent change;
  EV_SET(&change, (uintptr_t)watch->fd, filter, interest & bit ? EV_ADD : EV_DELETE, 0, 0, watch);
  submit(change);
}

void events_set(struct watch* watch, unsigned interest) {
  set_filter(watch, EVFILT_READ, READABLE, interest);
  set_filter(watch, EVFILT_WRITE, WRITABLE, interest);
  watch->interest = interest;
}

void events_turn(void) {
  struct kevent events[EVENTS_PER_TURN];
  int count = kevent(queue, NULL, 0, events, EVENTS_PER_TURN, NULL);
  if (count < 0 && errno != EINTR) err(EXIT_FAILURE, "kevent");
  // Reading and writing are reported as two events: joined here, so that each watch is called once, as with epoll.
  for (int i = 0; i < count; i++) {
    struct watch* watch = events[i].udata;
    watch->ready |= events[i].filter == EVFILT_WRITE ? WRITABLE : READABLE;
  }
  for (int i = 0; i < count; i++) events_tell(events[i].udata);
}

void timer_open(struct watch* timer, void (*on_ready)(struct watch* timer, unsigned ready)) {
  *timer = (struct watch){.fd = -1, .on_ready = on_ready};
}

void timer_arm(struct watch* timer, int64_t nanoseconds) {
  struct kevent change;
  int64_t delay = nanoseconds > 0 ? nanoseconds : 1;
  EV_SET(&change, (uintptr_t)timer, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_NSECONDS, delay, timer);
  submit(change);
  timer->ready = 0;
}

// Darwin lacks SOCK_NONBLOCK, SOCK_CLOEXEC and accept4. The floor starts no other program, so the moment between the
// two calls is harmless.
static int prepared(int fd) {
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) err(EXIT_FAILURE, "fcntl");
  return fd;
}

int sys_socket(int domain) {
  int fd = socket(domain, SOCK_STREAM, 0);
  if (fd < 0) err(EXIT_FAILURE, "socket");
  return prepared(fd);
}

int sys_accept(int listener) {
  int fd = accept(listener, NULL, NULL);
  return fd < 0 ? fd : prepared(fd);
}

// Darwin lacks MSG_MORE.
ptrdiff_t sys_send_more(int to, const char* data, size_t length) { return send(to, data, length, 0); }

// UNIX sockets are supported too (XNU's bsd/kern/uipc_syscalls.c). The count is set even with EAGAIN and EINTR; a count
// of 0 would mean the whole file.
ptrdiff_t sys_send_file(int to, int file, int64_t offset, size_t count) {
  off_t sent = (off_t)count;
  if (count == 0) return 0;
  if (sendfile(file, to, offset, &sent, NULL, 0) == 0) return (ptrdiff_t)sent;
  return (errno == EAGAIN || errno == EINTR) && sent > 0 ? (ptrdiff_t)sent : -1;
}

int sys_memory_file(const char* data, size_t length) {
  char name[] = "/tmp/nearwire-floor-XXXXXX";
  int fd = mkstemp(name);
  if (fd < 0 || write(fd, data, length) != (ptrdiff_t)length) err(EXIT_FAILURE, "%s", name);
  unlink(name);
  return fd;
}

bool sys_pipe(int ends[2], size_t capacity) {
  (void)ends;
  (void)capacity;
  return false;
}

ptrdiff_t sys_splice(int from, int to, size_t count) {
  (void)from;
  (void)to;
  (void)count;
  errno = ENOSYS;
  return -1;
}

int64_t sys_resident_bytes(void) {
  struct mach_task_basic_info info;
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  kern_return_t result = task_info(mach_task_self(), MACH_TASK_BASIC_INFO, (task_info_t)&info, &count);
  if (result != KERN_SUCCESS) errx(EXIT_FAILURE, "task_info: %d", result);
  return (int64_t)info.resident_size;
}
