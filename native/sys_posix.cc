// Uses only what every POSIX.1-2008 system has. It builds on Linux too, where the suite runs on it.
#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <climits>

#include "sys.h"
#include "sys_fcntl.h"

namespace nearwire::sys {

const char* const kName = "posix";
const bool kAbstractNames = false;
const bool kAcceptedInheritBuffers = false;
const bool kDoublesBuffers = false;
const bool kSendsFiles = false;
// As on the BSDs.
const bool kRefusesWhenFull = true;
const bool kAcceptDropsAtLimit = false;
const int kLargestBacklog = INT_MAX;
const int kUnreadableFlags = 0;

int open_stream(int family) {
  return prepared(socket(family, SOCK_STREAM, 0), [](int) { return 0; });
}

int accept_stream(int listener) {
  return prepared(accepted(listener), [](int) { return 0; });
}

int prepare_stream(int fd) { return set_flags(fd); }

int open_pair(int ends[2]) { return open_prepared_pair(ends); }

ssize_t send_parts(int fd, const iovec* parts, size_t count, bool) {
  return send_with_flags(fd, parts, count, MSG_NOSIGNAL);
}

// POSIX has none of these: files are read in the thread pool.
ssize_t send_file(int, int, uint64_t, size_t) { return -ENOSYS; }

int residency(int, uint64_t, size_t) { return -ENOSYS; }

ssize_t read_resident(int, void*, size_t, int64_t) { return -ENOSYS; }

int open_cached(const char*) { return -EAGAIN; }

int open_pipe(int*) { return -ENOSYS; }

void set_pipe_size(int, size_t) {}

ssize_t move_bytes(int, int, int64_t*, size_t) { return -ENOSYS; }

int is_listening(int fd) { return get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0 ? 1 : 0; }

// POSIX does not define SO_REUSEPORT, and where it exists it need not distribute connections.
int set_reuse_port(int) { return -ENOTSUP; }

void defer_accept(int) {}

int set_keep_alive(int fd, bool on, unsigned) { return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0); }

int create_memory_file(const char*) { return -ENOSYS; }

int seal(int) { return -ENOSYS; }

int64_t preemptions() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

}  // namespace nearwire::sys
