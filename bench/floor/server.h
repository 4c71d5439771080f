// The serving side: listener, connections, the loop. What is done with the bytes is the service's.
#ifndef FLOOR_SERVER_H
#define FLOOR_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "control.h"
#include "events.h"
#include "settings.h"

enum {
  // One receive buffer for all connections. Large enough to take the whole of a UNIX socket's default send buffer
  // (212,992 bytes) in one call: with 128, 64 and 32 KiB bulk and uploads of 1 MiB are slower by up to 3, 7 and 15 %.
  SERVER_RECEIVE_CAPACITY = 256 * 1024,
  // Full reads of one connection in a turn, so that a busy one leaves room for the others.
  SERVER_READS_PER_TURN = 16,
};

struct server;

// First member of each service's own connection struct.
struct connection {
  struct watch watch;
  struct server* server;
  struct connection* next_free;
  struct connection* next_made;
};

struct service {
  // Of the service's connection struct; it comes zeroed when a connection begins.
  size_t connection_size;
  // Buffers and answers, once; may be NULL.
  void (*prepare)(struct server* server);
  // The connection is ready; also called once just after the accept, as the first bytes are often there by then.
  void (*on_ready)(struct watch* watch, unsigned ready);
  // Frees what the connection holds; may be NULL.
  void (*on_close)(struct connection* connection);
};

struct server {
  struct control control;
  struct watch listener;
  const struct settings* settings;
  const struct service* service;
  int queue;
  struct connection* free;  // closed, to be used again
  struct connection* made;  // all, open or closed
  char* buffer;             // SERVER_RECEIVE_CAPACITY bytes
  void* state;              // the service's own
};

void server_run(const struct settings* settings, const struct service* service);

// Waits for these kinds of readiness from now on; for none with 0.
void connection_await(struct connection* connection, unsigned interest);

void connection_close(struct connection* connection);

// Room for as much as pages by reference need to pay: the kernel gives what it may.
void connection_enlarge(struct connection* connection);

// What a call that sends has returned: the count, 0 if the kernel takes nothing now, -1 if the connection is gone and
// closed.
ptrdiff_t connection_sent(struct connection* connection, ptrdiff_t count);

// recv into the server's buffer: the count, 0 if nothing is there now. Closes the connection at its end or an error
// and then returns -1.
ptrdiff_t connection_receive(struct connection* connection);

// The same for send: the count, 0 if the kernel takes nothing now, -1 if the connection is gone and closed.
ptrdiff_t connection_send(struct connection* connection, const char* data, size_t length);

// connection_send of several parts in one call.
ptrdiff_t connection_send_parts(struct connection* connection, struct iovec* parts, size_t count);

extern const struct service service_echo;
extern const struct service service_messages;
extern const struct service service_sink;
extern const struct service service_http;
extern const struct service service_body;
extern const struct service service_relay;

#endif
