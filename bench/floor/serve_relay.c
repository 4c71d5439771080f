// Passes on what comes, both ways between two connections that were accepted one after the other (relay): through a
// pipe, by reference to the pages, or through a buffer (--copy 1, or where sockets can't be spliced).
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"
#include "server.h"
#include "sys.h"

enum {
  // What a pipe may hold, if the system lets it.
  PIPE_BYTES = 1024 * 1024,
  // Fillings of one direction in a turn, so that a busy pair leaves room for the others.
  PASSES_PER_TURN = 16,
};

struct relay_connection {
  struct connection connection;
  struct relay_connection* peer;  // NULL: the other one has not come yet
  // From here to the peer: bytes that have been taken from this connection and not been given to the other.
  size_t held;
  int pipe[2];
  char* buffer;  // SERVER_RECEIVE_CAPACITY bytes; NULL where the pipe is used
  size_t sent;   // of what the buffer held
  bool ended;    // nothing more comes from here
};

// The connection that still waits for its peer.
struct relay {
  struct relay_connection* single;
  bool splices;
};

static void prepare(struct server* server) {
  struct relay* relay = allocate(1, sizeof *relay);
  relay->splices = !server->settings->copy && sys_can_splice();
  server->state = relay;
}

static struct relay* relay_of(const struct relay_connection* from) { return from->connection.server->state; }

static void open_way(struct relay_connection* from) {
  if (!relay_of(from)->splices) {
    from->buffer = allocate(SERVER_RECEIVE_CAPACITY, 1);
    return;
  }
  if (sys_pipe(from->pipe, PIPE_BYTES) < 0) die("pipe", errno);
  connection_enlarge(&from->connection);
}

static void pair(struct relay_connection* second) {
  struct relay* relay = relay_of(second);
  struct relay_connection* first = relay->single;
  if (first == NULL) {
    relay->single = second;
    return;
  }
  relay->single = NULL;
  first->peer = second;
  second->peer = first;
  open_way(first);
  open_way(second);
}

static void on_close(struct connection* connection) {
  struct relay_connection* from = (struct relay_connection*)connection;
  if (relay_of(from)->single == from) relay_of(from)->single = NULL;
  if (from->peer == NULL) return;
  if (from->buffer == NULL) {
    close(from->pipe[0]);
    close(from->pipe[1]);
  }
  free(from->buffer);
  // One end is nothing without the other.
  struct relay_connection* peer = from->peer;
  from->peer = NULL;
  if (peer->peer == from) connection_close(&peer->connection);
}

// Takes what has come, as much as there is room for: the count, 0 if there is nothing, -1 if both are closed.
static ptrdiff_t take(struct relay_connection* from) {
  ptrdiff_t count = from->buffer == NULL ? sys_splice(from->connection.watch.fd, from->pipe[1], PIPE_BYTES)
                                         : recv(from->connection.watch.fd, from->buffer, SERVER_RECEIVE_CAPACITY, 0);
  if (count > 0) {
    from->held += (size_t)count;
  } else if (count == 0) {
    from->ended = true;
  } else if (errno != EAGAIN && errno != EINTR) {
    connection_close(&from->connection);
    return -1;
  } else {
    count = 0;
  }
  return count;
}

// Gives on what is held: the count, 0 if the kernel takes nothing, -1 if both are closed.
static ptrdiff_t give(struct relay_connection* from) {
  struct connection* to = &from->peer->connection;
  ptrdiff_t count;
  if (from->buffer == NULL) {
    count = connection_sent(to, sys_splice(from->pipe[0], to->watch.fd, from->held));
  } else {
    count = connection_send(to, from->buffer + from->sent, from->held);
  }
  if (count <= 0) return count;
  from->held -= (size_t)count;
  from->sent = from->held > 0 ? from->sent + (size_t)count : 0;
  return count;
}

// Passes on as much as goes. False if both are closed.
static bool pass(struct relay_connection* from) {
  for (int i = 0; i < PASSES_PER_TURN; i++) {
    if (from->held == 0) {
      ptrdiff_t taken = from->ended ? 0 : take(from);
      if (taken < 0) return false;
      if (taken == 0) break;
    }
    ptrdiff_t given = give(from);
    if (given < 0) return false;
    if (given == 0) break;
  }
  if (!from->ended || from->held > 0) return true;
  connection_close(&from->connection);
  return false;
}

// A way that holds something waits for room, an empty one for more to come.
static void await_both(struct relay_connection* one) {
  struct relay_connection* other = one->peer;
  unsigned reads = one->held == 0 ? READABLE : 0u;
  unsigned writes = other->held > 0 ? WRITABLE : 0u;
  connection_await(&one->connection, reads | writes);
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct relay_connection* one = (struct relay_connection*)watch;
  if (one->peer == NULL) {
    bool is_new = watch->interest == 0;
    if (is_new) pair(one);
    // Nothing is taken before there is someone to give it to.
    if (one->peer == NULL && !is_new) connection_await(&one->connection, 0);
    if (one->peer == NULL) return;
  }
  struct relay_connection* other = one->peer;
  if ((ready & READABLE) && one->held == 0 && !pass(one)) return;
  if ((ready & WRITABLE) && other->held > 0 && !pass(other)) return;
  await_both(one);
  await_both(other);
}

const struct service service_relay = {
    .connection_size = sizeof(struct relay_connection), .prepare = prepare, .on_ready = on_ready, .on_close = on_close};
