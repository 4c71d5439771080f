// Memory that several processes share, and the way of its descriptor from one to another. As in sys.h everything
// returns 0 or more, or a negative errno.
#pragma once

#include <cstddef>

namespace nearwire::sys {

// A descriptor, close-on-exec, of `bytes` of zeros, which go with the last descriptor and mapping.
int open_shared_memory(const char* name, size_t bytes);
// Maps what is at least that long.
int map_shared(int fd, size_t bytes, void** at);

// A socket, close-on-exec, that holds another descriptor of the same file: what passes sockets on passes that as well.
int pack_descriptor(int fd);
// The descriptor, close-on-exec, out of such a socket, which is left open.
int unpack_descriptor(int socket);

}  // namespace nearwire::sys
