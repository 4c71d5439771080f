#include "sys_shared.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "sys.h"
#include "sys_owned.h"

namespace nearwire::sys {

namespace {

// Room for the one descriptor that a message carries.
struct Envelope {
  Envelope() {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  // A stream carries a descriptor only together with a byte.
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
};

// For systems without memory files: an object of shm_open(), whose name is removed at once.
int open_named_memory() {
  constexpr int kAttempts = 16;
  for (int i = 0; i < kAttempts; ++i) {
    const std::string name = "/nearwire." + std::to_string(getpid()) + "." + std::to_string(i);
    const int fd = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    if (fd >= 0) {
      shm_unlink(name.c_str());
      fcntl(fd, F_SETFD, FD_CLOEXEC);
      return fd;
    }
    if (errno != EEXIST) return -errno;
  }
  return -EEXIST;
}

int open_memory(const char* name) {
  const int fd = create_memory_file(name);
  return fd == -ENOSYS ? open_named_memory() : fd;
}

}  // namespace

int open_shared_memory(const char* name, size_t bytes) {
  const int fd = open_memory(name);
  if (fd < 0) return fd;
  if (ftruncate(fd, static_cast<off_t>(bytes)) == 0) return fd;
  const int error = -errno;
  close(fd);
  return error;
}

int map_shared(int fd, size_t bytes, void** at) {
  struct stat found {};
  if (fstat(fd, &found) != 0) return -errno;
  // Pages beyond a file's end can be mapped, but not accessed.
  if (static_cast<uint64_t>(found.st_size) < bytes) return -EINVAL;
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return -errno;
  *at = mapped;
  return 0;
}

int pack_descriptor(int fd) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -errno;
  OwnedDescriptor far_end(ends[0]);
  int error = set_flags(ends[1]);
  if (error == 0) error = set_flags(ends[0]);
  Envelope envelope;
  cmsghdr* header = CMSG_FIRSTHDR(&envelope.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (error == 0 && sendmsg(ends[0], &envelope.message, 0) != 1) error = -errno;
  if (error == 0) return ends[1];
  close(ends[1]);
  return error;
}

int unpack_descriptor(int socket) {
  Envelope envelope;
  if (recvmsg(socket, &envelope.message, 0) < 0) return -errno;
  const cmsghdr* header = CMSG_FIRSTHDR(&envelope.message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return -EBADMSG;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return fd;
  const int error = -errno;
  close(fd);
  return error;
}

#if defined(__linux__)
int64_t processor_millis(pid_t process) {
  clockid_t clock{};
  const int error = clock_getcpuclockid(process, &clock);
  if (error != 0) return -error;
  timespec used{};
  if (clock_gettime(clock, &used) != 0) return -errno;
  return int64_t{used.tv_sec} * 1000 + used.tv_nsec / 1'000'000;
}
#else
int64_t processor_millis(pid_t) { return -ENOSYS; }
#endif

}  // namespace nearwire::sys
