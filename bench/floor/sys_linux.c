#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"
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
  if (fd < 0) return -1;
  for (size_t written = 0; written < length;) {
    ptrdiff_t count = write(fd, data + written, length - written);
    if (count < 0) {
      int error = errno;
      close(fd);
      errno = error;
      return -1;
    }
    written += (size_t)count;
  }
  return fd;
}

bool sys_can_splice(void) { return true; }

int sys_pipe(int ends[2], size_t capacity) {
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return -1;
  // Refused where all pipes of a user are to hold no more: then it keeps its 64 KiB.
  fcntl(ends[1], F_SETPIPE_SZ, (int)capacity);
  return 0;
}

ptrdiff_t sys_splice(int from, int to, size_t count) {
  return splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

int64_t sys_resident_bytes(void) {
  FILE* file = fopen("/proc/self/statm", "re");
  if (file == NULL) die("/proc/self/statm", errno);
  long resident;
  int fields = fscanf(file, "%*d %ld", &resident);
  fclose(file);
  if (fields != 1) fail("/proc/self/statm: unknown form");
  return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

uint64_t sys_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) die("getrlimit", errno);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) die("setrlimit", errno);
  return limit.rlim_cur;
}

int sys_processors(int* processors, int limit) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    // A system of more than CPU_SETSIZE processors, of which one has to do.
    processors[0] = sched_getcpu();
    return 1;
  }
  int allowed = CPU_COUNT(&set);
  int count = allowed < limit ? allowed : limit;
  int seen = 0;
  int taken = 0;
  for (int i = 0; i < CPU_SETSIZE && taken < count; i++) {
    if (!CPU_ISSET(i, &set)) continue;
    if (seen++ == taken * allowed / count) processors[taken++] = i;
  }
  return taken;
}

void sys_run_on(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) die("sched_setaffinity", errno);
}
