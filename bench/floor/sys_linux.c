#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"
#include "sys.h"

int sys_socket(int domain) { return socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int sys_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

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
