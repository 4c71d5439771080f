#include "server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net.h"
#include "process.h"
#include "sys.h"

enum {
  // Accepts of one turn, so that a storm of connections leaves room for those that are open.
  ACCEPTS_PER_TURN = 64,
  // Full reads of one connection in a turn, so that a busy one leaves room for the others.
  READS_PER_TURN = 16,
};

static struct connection* take_connection(struct server* server) {
  size_t size = server->service->connection_size;
  struct connection* connection = server->free;
  if (connection == NULL) {
    connection = allocate(1, size);
  } else {
    server->free = connection->next_free;
    memset(connection, 0, size);
  }
  connection->server = server;
  return connection;
}

// The count, 0 if nothing is there now, -1 if the connection has ended and is closed.
static ptrdiff_t receive(struct connection* connection) {
  ptrdiff_t count = recv(connection->watch.fd, connection->server->buffer, SERVER_RECEIVE_CAPACITY, 0);
  if (count != 0) return connection_moved(connection, count);
  connection_close(connection);
  return -1;
}

// A connection waits for more to come or for room, and never for both: who does not take its answers is not read, and
// feels it.
static void on_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct connection* connection = (struct connection*)watch;
  const struct server* server = connection->server;
  if (watch->interest == WRITABLE) {
    if (server->service->flush(connection)) connection_await(connection, READABLE);
    return;
  }
  for (int i = 0; i < READS_PER_TURN; i++) {
    ptrdiff_t count = receive(connection);
    if (count <= 0) return;
    if (server->service->take != NULL && !server->service->take(connection, server->buffer, (size_t)count)) return;
    if (count < SERVER_RECEIVE_CAPACITY) return;
  }
}

static void open_connection(struct server* server, int fd) {
  const struct service* service = server->service;
  struct connection* connection = take_connection(server);
  struct watch* watch = &connection->watch;
  *watch = (struct watch){.fd = fd, .on_ready = service->on_ready != NULL ? service->on_ready : on_ready};
  if (service->open != NULL) service->open(connection);
  // The first bytes are often there by now.
  watch->on_ready(watch, READABLE);
  if (watch->fd >= 0 && watch->interest == 0) connection_await(connection, READABLE);
}

static void on_accept(struct watch* watch, unsigned ready) {
  (void)ready;
  struct server* server = OWNER_OF(watch, struct server, listener);
  for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
    int fd = sys_accept(watch->fd);
    if (fd >= 0) {
      open_connection(server, fd);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      die("accept", errno);
    }
  }
}

void connection_await(struct connection* connection, unsigned interest) {
  events_set(connection->server->queue, &connection->watch, interest);
}

void connection_close(struct connection* connection) {
  struct server* server = connection->server;
  if (server->service->close != NULL) server->service->close(connection);
  events_close(&connection->watch);
  connection->next_free = server->free;
  server->free = connection;
}

ptrdiff_t connection_moved(struct connection* connection, ptrdiff_t count) {
  if (count >= 0) return count;
  if (errno == EAGAIN || errno == EINTR) return 0;
  connection_close(connection);
  return -1;
}

ptrdiff_t connection_send(struct connection* connection, const char* data, size_t length) {
  return connection_moved(connection, send(connection->watch.fd, data, length, 0));
}

void server_run(const struct settings* settings) {
  static struct server server;
  server.settings = settings;
  server.service = settings->of->service;
  server.queue = events_open();
  server.buffer = allocate(SERVER_RECEIVE_CAPACITY, 1);
  if (server.service->prepare != NULL) server.service->prepare(&server);
  control_open(&server.control, server.queue);
  struct endpoint endpoint = settings->endpoint;
  server.listener = (struct watch){.fd = net_listen(&endpoint), .on_ready = on_accept};
  events_set(server.queue, &server.listener, READABLE);
  char address[256];
  endpoint_print(&endpoint, address, sizeof address);
  control_say_ready(address);
  while (!server.control.ended) events_turn(server.queue);
}
