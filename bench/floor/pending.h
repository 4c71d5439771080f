// Bytes for a socket that the kernel has not taken yet. Whoever fills it reads no more from where they came until it is
// empty, so it holds one read at the most.
#ifndef FLOOR_PENDING_H
#define FLOOR_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct pending {
  char* data;  // NULL: nothing waits
  size_t length;
  size_t sent;
};

// Sends the parts behind what waits, and keeps what the kernel does not take. False if the connection is broken.
bool pending_send(struct pending* pending, int fd, struct iovec* parts, size_t count);

// Sends what waits. False if the connection is broken.
bool pending_flush(struct pending* pending, int fd);

void pending_drop(struct pending* pending);

#endif
