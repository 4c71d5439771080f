// The serving side: listener, connections, the loop. What is done with the bytes is the service's.
#ifndef FLOOR_SERVER_H
#define FLOOR_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "control.h"
#include "events.h"
#include "settings.h"

// One receive buffer for all connections. Large enough to take the whole of a UNIX socket's default send buffer
// (212,992 bytes) in one call: with 128, 64 and 32 KiB bulk and uploads of 1 MiB are slower by up to 3, 7 and 15 %.
enum { SERVER_RECEIVE_CAPACITY = 256 * 1024 };

struct server;

// First member of each service's own connection struct.
struct connection {
  struct watch watch;
  struct server* server;
  struct connection* next_free;
};

// All but the size may be NULL.
struct service {
  // Of the service's connection struct; it comes zeroed when a connection begins.
  size_t connection_size;
  // Buffers and answers, once.
  void (*prepare)(struct server* server);
  // The connection has been accepted.
  void (*open)(struct connection* connection);
  // Takes what has come, which lies in the server's buffer. False if no more is to be read now: the connection is
  // closed, or waits for room. NULL: it is forgotten.
  bool (*take)(struct connection* connection, const char* data, size_t length);
  // There is room for what waits for it. True if all has gone, and more is to be read.
  bool (*flush)(struct connection* connection);
  // Frees what the connection holds.
  void (*close)(struct connection* connection);
  // The connection is ready, in the place of `take` and `flush`; also called once just after the accept.
  void (*on_ready)(struct watch* watch, unsigned ready);
};

struct server {
  struct control control;
  struct watch listener;
  const struct settings* settings;
  const struct service* service;
  int queue;
  struct connection* free;  // closed, to be used again
  char* buffer;             // SERVER_RECEIVE_CAPACITY bytes
  void* state;              // the service's own
};

void server_run(const struct settings* settings);

// Waits for these kinds of readiness from now on; for none with 0.
void connection_await(struct connection* connection, unsigned interest);

void connection_close(struct connection* connection);

// What a call has returned that sends or receives: the count, 0 if there is nothing to be had from the kernel now, -1
// if the connection is gone and closed.
ptrdiff_t connection_moved(struct connection* connection, ptrdiff_t count);

// Sends, with the same result.
ptrdiff_t connection_send(struct connection* connection, const char* data, size_t length);

extern const struct service service_echo;
extern const struct service service_messages;
extern const struct service service_sink;
extern const struct service service_http;
extern const struct service service_relay;

#endif
