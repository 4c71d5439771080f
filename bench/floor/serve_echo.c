// Sends back what comes (rtt, fanin, growth, churn, idle). What one read brought goes out in one send.
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "server.h"

struct echo_connection {
  struct connection connection;
  // What the kernel has not taken yet; nothing is read meanwhile, so the peer feels it.
  char* waiting;
  size_t waiting_length;
  size_t waiting_sent;
};

static void on_close(struct connection* connection) { free(((struct echo_connection*)connection)->waiting); }

static void keep(struct echo_connection* echo, const char* data, size_t length) {
  echo->waiting = allocate(length, 1);
  memcpy(echo->waiting, data, length);
  echo->waiting_length = length;
  echo->waiting_sent = 0;
  connection_await(&echo->connection, WRITABLE);
}

static void send_waiting(struct echo_connection* echo) {
  size_t left = echo->waiting_length - echo->waiting_sent;
  ptrdiff_t sent = connection_send(&echo->connection, echo->waiting + echo->waiting_sent, left);
  if (sent < 0) return;
  echo->waiting_sent += (size_t)sent;
  if (echo->waiting_sent < echo->waiting_length) return;
  free(echo->waiting);
  echo->waiting = NULL;
  connection_await(&echo->connection, READABLE);
}

static void on_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct echo_connection* echo = (struct echo_connection*)watch;
  if (echo->waiting != NULL) {
    send_waiting(echo);
    return;
  }
  for (int i = 0; i < SERVER_READS_PER_TURN; i++) {
    ptrdiff_t received = connection_receive(&echo->connection);
    if (received <= 0) return;
    const char* data = echo->connection.server->buffer;
    ptrdiff_t sent = connection_send(&echo->connection, data, (size_t)received);
    if (sent < 0) return;
    if (sent < received) {
      keep(echo, data + sent, (size_t)(received - sent));
      return;
    }
    if (received < SERVER_RECEIVE_CAPACITY) return;
  }
}

const struct service service_echo = {
    .connection_size = sizeof(struct echo_connection), .on_ready = on_ready, .on_close = on_close};
