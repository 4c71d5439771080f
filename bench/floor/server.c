#include "server.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  // Accepts per iteration, so that a burst of connections leaves time for open ones.
  ACCEPTS_PER_TURN = 64,
  // Full reads of one connection per iteration, so that a busy one leaves time for the others.
  READS_PER_TURN = 16,
};

static const struct service* service;
static struct connection* closed;  // to be reused: their watches may still be part of this iteration

static struct connection* take_connection(void) {
  struct connection* connection = closed;
  if (connection == NULL) return allocate(service->connection_size);
  closed = connection->next_free;
  memset(connection, 0, service->connection_size);
  return connection;
}

// Returns false if no more may be read now.
static bool offer(struct connection* connection, const char* data, size_t length) {
  size_t used = service->take(connection, data, length);
  if (connection->watch.fd < 0) return false;
  if (used < length || connection->input.length > 0) input_keep(&connection->input, data + used, length - used);
  return !connection->waits;
}

static void receive(struct connection* connection) {
  for (int i = 0; i < READS_PER_TURN; i++) {
    const char* data;
    size_t kept = connection->input.length;
    ptrdiff_t count = input_read(&connection->input, connection->watch.fd, &data);
    if (count == 0) connection_close(connection);
    if (count <= 0 && connection_moved(connection, count, 0) <= 0) return;
    if (!offer(connection, data, kept + (size_t)count) || count < READ_CAPACITY) return;
  }
}

static void go_on(struct connection* connection) {
  connection->waits = false;
  if (service->flush != NULL) service->flush(connection);
  const struct input* input = &connection->input;
  if (connection->watch.fd >= 0 && !connection->waits && input->length > 0) {
    offer(connection, input->data, input->length);
  }
}

// A connection waits for data or for room, never for both: a peer that does not take its responses is not read.
static void on_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct connection* connection = (struct connection*)watch;
  if (connection->waits) {
    go_on(connection);
  } else {
    receive(connection);
  }
  if (watch->fd >= 0) events_set(watch, connection->waits ? WRITABLE : READABLE);
}

static void on_accept(struct watch* watch, unsigned ready) {
  (void)ready;
  for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
    int fd = sys_accept(watch->fd);
    if (fd < 0 && errno == EAGAIN) return;
    if (fd < 0 && errno != EINTR && errno != ECONNABORTED) err(EXIT_FAILURE, "accept");
    if (fd < 0) continue;
    struct connection* connection = take_connection();
    connection->watch.fd = fd;
    connection->watch.on_ready = service->on_ready != NULL ? service->on_ready : on_ready;
    if (service->open != NULL) service->open(connection);
    // The first bytes have often arrived by now.
    connection->watch.on_ready(&connection->watch, READABLE);
  }
}

void connection_close(struct connection* connection) {
  if (service->close != NULL) service->close(connection);
  free(connection->input.data);
  events_close(&connection->watch);
  connection->next_free = closed;
  closed = connection;
}

ptrdiff_t connection_moved(struct connection* connection, ptrdiff_t count, size_t wanted) {
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    connection_close(connection);
    return -1;
  }
  ptrdiff_t moved = count < 0 ? 0 : count;
  connection->waits = (size_t)moved < wanted;
  return moved;
}

ptrdiff_t connection_send(struct connection* connection, const char* data, size_t length) {
  return connection_moved(connection, send(connection->watch.fd, data, length, 0), length);
}

void server_run(void) {
  service = settings.of->service;
  if (service->prepare != NULL) service->prepare();
  uint16_t port;
  struct watch listener = {.fd = net_listen(&port), .on_ready = on_accept};
  events_set(&listener, READABLE);
  const char* address = settings.address;
  if (settings.tcp) {
    control_say("{\"ready\":true,\"address\":\"%.*s:%u\"}", (int)strcspn(address, ":"), address, (unsigned)port);
  } else {
    control_say("{\"ready\":true}");
  }
  for (;;) control_wait();
}
