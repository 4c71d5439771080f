#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "report.h"
#include "sys.h"

// What a socket holds unread at most. References to pages cost a call each time it is full: below 400 KiB they hardly
// pay, above 1 MiB they gain no more.
static const int SEND_CAPACITY = 1024 * 1024;

// Accepts of one turn, so that a storm of connections leaves room for those that are open.
enum { ACCEPTS_PER_TURN = 64 };

static struct connection* take_connection(struct server* server) {
  size_t size = server->service->connection_size;
  struct connection* connection = server->free;
  if (connection == NULL) {
    connection = allocate(1, size);
    connection->next_made = server->made;
    server->made = connection;
  } else {
    struct connection* next_made = connection->next_made;
    server->free = connection->next_free;
    memset(connection, 0, size);
    connection->next_made = next_made;
  }
  connection->server = server;
  return connection;
}

static void open_connection(struct server* server, int fd) {
  const struct service* service = server->service;
  struct connection* connection = take_connection(server);
  connection->watch = (struct watch){.fd = fd, .on_ready = service->on_ready};
  service->on_ready(&connection->watch, READABLE);
  if (connection->watch.fd >= 0 && connection->watch.interest == 0) connection_await(connection, READABLE);
}

static void on_accept(struct watch* watch, unsigned ready) {
  (void)ready;
  struct server* server = (struct server*)((char*)watch - offsetof(struct server, listener));
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

void connection_enlarge(struct connection* connection) {
  // Refused or cut down: then it is what this system lets have.
  setsockopt(connection->watch.fd, SOL_SOCKET, SO_SNDBUF, &SEND_CAPACITY, sizeof SEND_CAPACITY);
}

void connection_close(struct connection* connection) {
  struct server* server = connection->server;
  if (server->service->on_close != NULL) server->service->on_close(connection);
  events_close(&connection->watch);
  connection->next_free = server->free;
  server->free = connection;
}

ptrdiff_t connection_receive(struct connection* connection) {
  ptrdiff_t count = recv(connection->watch.fd, connection->server->buffer, SERVER_RECEIVE_CAPACITY, 0);
  if (count > 0) return count;
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  connection_close(connection);
  return -1;
}

ptrdiff_t connection_sent(struct connection* connection, ptrdiff_t count) {
  if (count >= 0) return count;
  if (errno == EAGAIN || errno == EINTR) return 0;
  connection_close(connection);
  return -1;
}

ptrdiff_t connection_send(struct connection* connection, const char* data, size_t length) {
  return connection_sent(connection, send(connection->watch.fd, data, length, 0));
}

ptrdiff_t connection_send_parts(struct connection* connection, struct iovec* parts, size_t count) {
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
  return connection_sent(connection, sendmsg(connection->watch.fd, &message, 0));
}

static void close_all(struct server* server) {
  close(server->listener.fd);
  while (server->made != NULL) {
    struct connection* connection = server->made;
    server->made = connection->next_made;
    if (connection->watch.fd >= 0) connection_close(connection);
    free(connection);
  }
}

void server_run(const struct settings* settings, const struct service* service) {
  static struct server server;
  server.settings = settings;
  server.service = service;
  server.queue = events_open();
  server.buffer = allocate(SERVER_RECEIVE_CAPACITY, 1);
  if (service->prepare != NULL) service->prepare(&server);
  control_open(&server.control, server.queue);
  struct endpoint endpoint = settings->endpoint;
  server.listener = (struct watch){.fd = net_listen(&endpoint), .on_ready = on_accept};
  events_set(server.queue, &server.listener, READABLE);
  char address[256];
  endpoint_print(&endpoint, address, sizeof address);
  control_say_ready(address);
  while (!server.control.ended) events_turn(server.queue);
  close_all(&server);
}
