// Memory shared by several processes, passing its descriptor from one to another, and what one process can see of
// another. As in sys.h all functions return 0 or more, or a negative errno.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace nearwire::sys {

// A descriptor, close-on-exec, of `bytes` zeros; the memory is freed with the last descriptor and mapping.
int open_shared_memory(const char* name, size_t bytes);
// Maps memory that has at least this length.
int map_shared(int fd, size_t bytes, void** at);

// A socket, close-on-exec, that carries another descriptor of the same file: whatever can pass a socket can thus pass
// the file.
int pack_descriptor(int fd);
// The descriptor, close-on-exec, from such a socket, which is left open.
int unpack_descriptor(int socket);

// The CPU time that a process has used, in milliseconds. -ESRCH: there is none. -ENOSYS: the system reports only its
// own.
int64_t processor_millis(pid_t process);

}  // namespace nearwire::sys
