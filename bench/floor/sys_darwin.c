#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mach/mach.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.h"
#include "sys.h"

// No SOCK_NONBLOCK, SOCK_CLOEXEC and accept4 on Darwin. The floor starts no other program, so the moment between the
// two calls is harmless.
static int prepare(int fd) {
  if (fd < 0) return fd;
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int sys_socket(int domain) { return prepare(socket(domain, SOCK_STREAM, 0)); }

int sys_accept(int listener) { return prepare(accept(listener, NULL, NULL)); }

// No MSG_MORE on Darwin.
ptrdiff_t sys_send_more(int to, const char* data, size_t length) { return send(to, data, length, 0); }

// UNIX sockets are taken too (XNU's bsd/kern/uipc_syscalls.c). What has been sent is told beside EAGAIN and EINTR; a
// count of 0 would mean all of the file.
ptrdiff_t sys_send_file(int to, int file, int64_t offset, size_t count) {
  off_t sent = (off_t)count;
  if (count == 0) return 0;
  if (sendfile(file, to, offset, &sent, NULL, 0) == 0) return (ptrdiff_t)sent;
  return (errno == EAGAIN || errno == EINTR) && sent > 0 ? (ptrdiff_t)sent : -1;
}

int sys_memory_file(const char* data, size_t length) {
  char name[] = "/tmp/nearwire-floor-XXXXXX";
  int fd = mkstemp(name);
  if (fd < 0) die(name, errno);
  unlink(name);
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) die("fcntl", errno);
  if (write(fd, data, length) != (ptrdiff_t)length) fail("%s: it can't be written whole", name);
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
  if (result != KERN_SUCCESS) fail("task_info: %d", result);
  return (int64_t)info.resident_size;
}

uint64_t sys_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) die("getrlimit", errno);
  // Darwin refuses a soft limit above OPEN_MAX, even where the hard one says "unlimited".
  if (limit.rlim_cur < OPEN_MAX) {
    limit.rlim_cur = limit.rlim_max < OPEN_MAX ? limit.rlim_max : OPEN_MAX;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) die("setrlimit", errno);
  }
  return limit.rlim_cur;
}
