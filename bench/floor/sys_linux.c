#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.h"
#include "sys.h"

int sys_socket(int domain) { return socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int sys_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

ptrdiff_t sys_send_more(int to, const char* data, size_t length) { return send(to, data, length, MSG_MORE); }

ptrdiff_t sys_send_file(int to, int file, int64_t offset, size_t count) {
  off_t from = offset;
  return sendfile(to, file, &from, count);
}

int sys_memory_file(const char* data, size_t length) {
  int fd = memfd_create("floor", MFD_CLOEXEC);
  if (fd < 0) die("memfd_create", errno);
  for (size_t written = 0; written < length;) {
    ptrdiff_t count = write(fd, data + written, length - written);
    if (count < 0) die("a file in memory", errno);
    written += (size_t)count;
  }
  return fd;
}

bool sys_pipe(int ends[2], size_t capacity) {
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) die("pipe", errno);
  // Refused where all pipes of a user are to hold no more: then it keeps its 64 KiB.
  fcntl(ends[1], F_SETPIPE_SZ, (int)capacity);
  return true;
}

ptrdiff_t sys_splice(int from, int to, size_t count) {
  return splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

int64_t sys_resident_bytes(void) {
  FILE* file = fopen("/proc/self/statm", "re");
  long resident;
  if (file == NULL || fscanf(file, "%*d %ld", &resident) != 1) fail("/proc/self/statm can't be read");
  fclose(file);
  return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

uint64_t sys_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) die("getrlimit", errno);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) die("setrlimit", errno);
  return limit.rlim_cur;
}
