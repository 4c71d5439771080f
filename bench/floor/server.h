// The serving side: listener, connections, the loop. A service handles the data.
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
  bool waits;  // the kernel has not taken everything: nothing is read before it has room again
};

// All but the size and `take` may be NULL.
struct service {
  // The size of the service's connection struct, which is zeroed when a connection begins.
  size_t connection_size;
  // Creates buffers and responses, once.
  void (*prepare)(void);
  // The connection has been accepted.
  void (*open)(struct connection* connection);
  // Consumes as much of the received data as it can, and returns the number of bytes. The rest is passed again with the
  // next data or when there is room again.
  size_t (*take)(struct connection* connection, const char* data, size_t length);
  // There is room for pending data.
  void (*flush)(struct connection* connection);
  // Frees what the connection holds.
  void (*close)(struct connection* connection);
  // The connection is ready; replaces `take` and `flush`; also called once right after the accept.
  void (*on_ready)(struct watch* watch, unsigned ready);
};

_Noreturn void server_run(void);

void connection_close(struct connection* connection);

// Handles the result of a call that sends or receives `wanted` bytes: returns the count, 0 if the kernel has nothing or
// no room now, -1 if the connection has failed and is closed. The connection waits if it is less.
ptrdiff_t connection_moved(struct connection* connection, ptrdiff_t count, size_t wanted);

// Sends, with the same result.
ptrdiff_t connection_send(struct connection* connection, const char* data, size_t length);

extern const struct service service_echo;
extern const struct service service_messages;
extern const struct service service_sink;
extern const struct service service_http;
extern const struct service service_relay;

#endif
