// The serving side: listener, connections, the loop. What is done with the bytes is the service's.
#ifndef FLOOR_SERVER_H
#define FLOOR_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "process.h"
#include "settings.h"

// First member of each service's own connection struct.
struct connection {
  struct watch watch;
  struct connection* next_free;
  struct input input;
  bool waits;  // the kernel has not taken all: nothing is read before it has room again
};

// All but the size and `take` may be NULL.
struct service {
  // Of the service's connection struct; it comes zeroed when a connection begins.
  size_t connection_size;
  // Buffers and answers, once.
  void (*prepare)(void);
  // The connection has been accepted.
  void (*open)(struct connection* connection);
  // Takes of what has come as much as it can make use of: how many bytes. The others are handed in again, with what
  // comes next or when there is room again.
  size_t (*take)(struct connection* connection, const char* data, size_t length);
  // There is room for what waits for it.
  void (*flush)(struct connection* connection);
  // Frees what the connection holds.
  void (*close)(struct connection* connection);
  // The connection is ready, in the place of `take` and `flush`; also called once just after the accept.
  void (*on_ready)(struct watch* watch, unsigned ready);
};

_Noreturn void server_run(void);

void connection_close(struct connection* connection);

// What a call has returned that sends or receives so many bytes: the count, 0 if there is nothing to be had from the
// kernel now, -1 if the connection is gone and closed. It waits if these are not all.
ptrdiff_t connection_moved(struct connection* connection, ptrdiff_t count, size_t wanted);

// Sends, with the same result.
ptrdiff_t connection_send(struct connection* connection, const char* data, size_t length);

extern const struct service service_echo;
extern const struct service service_messages;
extern const struct service service_sink;
extern const struct service service_http;
extern const struct service service_relay;

#endif
