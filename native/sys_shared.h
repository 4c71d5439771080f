// Memory that several processes share, the way of its descriptor from one to another, and what
// one process sees of another. As in sys.h everything
// returns 0 or more, or a negative errno.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace nearwire::sys {

// A descriptor, close-on-exec, of `bytes` of zeros, which go with the last descriptor and mapping.
int open_shared_memory(const char* name, size_t bytes);
// Maps what is at least that long.
int map_shared(int fd, size_t bytes, void** at);

// A socket, close-on-exec, that holds another descriptor of the same file: what passes sockets on passes that as well.
int pack_descriptor(int fd);
// The descriptor, close-on-exec, out of such a socket, which is left open.
int unpack_descriptor(int socket);

// What a process has used of processors, in milliseconds. -ESRCH: there is none. -ENOSYS: the system tells only its
// own.
int64_t processor_millis(pid_t process);

}  // namespace nearwire::sys
