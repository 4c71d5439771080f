// Relays both directions between two connections accepted one after the other (relay): through a pipe, by reference to
// the pages, or through a buffer (--copy 1, or if sockets cannot be spliced).
#include <stdlib.h>

#include "server.h"

enum {
  // The capacity of a pipe, if the system permits it.
  PIPE_BYTES = 1024 * 1024,
  // Fillings of one direction per iteration, so that a busy pair leaves time for the others.
  PASSES_PER_TURN = 16,
};

struct relay_connection {
  struct connection connection;
  struct relay_connection* peer;  // NULL: not accepted yet
  // From here to the peer: bytes taken from this connection and not yet given to the other.
  size_t held;
  int pipe[2];
  char* buffer;  // READ_CAPACITY bytes; NULL if the pipe is used
  size_t sent;   // of the buffer's bytes
  bool ended;    // nothing more comes from here
};

static void open_way(struct relay_connection* from) {
  if (settings.copy || !sys_pipe(from->pipe, PIPE_BYTES)) {
    from->buffer = allocate(READ_CAPACITY);
  } else {
    net_enlarge(from->connection.watch.fd);
  }
}

static struct relay_connection* single;  // still waiting for its peer

static void pair(struct connection* connection) {
  struct relay_connection* second = (struct relay_connection*)connection;
  struct relay_connection* first = single;
  single = first == NULL ? second : NULL;
  if (first == NULL) return;
  first->peer = second;
  second->peer = first;
  open_way(first);
  open_way(second);
}

static void close_way(struct connection* connection) {
  struct relay_connection* from = (struct relay_connection*)connection;
  if (single == from) single = NULL;
  if (from->peer == NULL) return;
  if (from->buffer == NULL) {
    close(from->pipe[0]);
    close(from->pipe[1]);
  }
  free(from->buffer);
  // One end is useless without the other.
  struct relay_connection* peer = from->peer;
  from->peer = NULL;
  if (peer->peer == from) connection_close(&peer->connection);
}

// Takes received data, as much as there is room for: the count, 0 if there is none, -1 if both are closed.
static ptrdiff_t take(struct relay_connection* from) {
  ptrdiff_t count = from->buffer == NULL ? sys_splice(from->connection.watch.fd, from->pipe[1], PIPE_BYTES)
                                         : recv(from->connection.watch.fd, from->buffer, READ_CAPACITY, 0);
  if (count == 0) from->ended = true;
  if (count > 0) from->held += (size_t)count;
  return connection_moved(&from->connection, count, 0);
}

// Passes held data on: the count, 0 if the kernel takes nothing, -1 if both are closed.
static ptrdiff_t give(struct relay_connection* from) {
  struct connection* to = &from->peer->connection;
  ptrdiff_t count;
  if (from->buffer == NULL) {
    count = connection_moved(to, sys_splice(from->pipe[0], to->watch.fd, from->held), from->held);
  } else {
    count = connection_send(to, from->buffer + from->sent, from->held);
  }
  if (count <= 0) return count;
  from->held -= (size_t)count;
  from->sent = from->held > 0 ? from->sent + (size_t)count : 0;
  return count;
}

// Relays as much as possible. False if both are closed.
static bool pass(struct relay_connection* from) {
  for (int i = 0; i < PASSES_PER_TURN && (!from->ended || from->held > 0); i++) {
    ptrdiff_t moved = from->held == 0 ? take(from) : 1;
    if (moved > 0) moved = give(from);
    if (moved < 0) return false;
    if (moved == 0) break;
  }
  if (!from->ended || from->held > 0) return true;
  connection_close(&from->connection);
  return false;
}

// A direction that holds data waits for room, an empty one for data.
static void await_both(struct relay_connection* one) {
  struct relay_connection* other = one->peer;
  unsigned reads = one->held == 0 ? READABLE : 0u;
  unsigned writes = other->held > 0 ? WRITABLE : 0u;
  events_set(&one->connection.watch, reads | writes);
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct relay_connection* one = (struct relay_connection*)watch;
  struct relay_connection* other = one->peer;
  // Nothing is taken before there is a peer to give it to.
  if (other == NULL) return;
  if ((ready & READABLE) && one->held == 0 && !pass(one)) return;
  if ((ready & WRITABLE) && other->held > 0 && !pass(other)) return;
  await_both(one);
  await_both(other);
}

const struct service service_relay = {
    .connection_size = sizeof(struct relay_connection), .open = pair, .close = close_way, .on_ready = on_ready};
