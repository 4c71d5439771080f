// Answers each message with the same (pipeline), as a program does that looks at them one by one.
#include <stdlib.h>
#include <string.h>

#include "pending.h"
#include "report.h"
#include "server.h"

// What is answered at once: the peer is at work on it while the rest is answered. With both ends on one core all at
// once would be quicker, on two it is this.
enum { ANSWERED_BYTES = 4096 };

struct message_connection {
  struct connection connection;
  struct pending pending;  // answers; nothing is read meanwhile, so the peer feels it
  char* part;              // the beginning of a message that has not come whole
  size_t part_length;
};

static size_t bytes_of(const struct message_connection* of) { return of->connection.server->settings->bytes; }

static void prepare(struct server* server) { server->state = allocate(ANSWERED_BYTES + server->settings->bytes, 1); }

static void on_close(struct connection* connection) {
  struct message_connection* of = (struct message_connection*)connection;
  pending_drop(&of->pending);
  free(of->part);
}

// Adds to the message that has not come whole; returns how much of it.
static size_t take_part(struct message_connection* of, const char* data, size_t length) {
  if (of->part == NULL) of->part = allocate(bytes_of(of), 1);
  size_t missing = bytes_of(of) - of->part_length;
  size_t taken = length < missing ? length : missing;
  memcpy(of->part + of->part_length, data, taken);
  of->part_length += taken;
  return taken;
}

// Puts the answers to all messages that have come whole into `out`; returns their bytes.
static size_t answer_messages(struct message_connection* of, const char* data, size_t length, char* out) {
  const size_t bytes = bytes_of(of);
  size_t answered = 0;
  for (size_t at = 0; at < length;) {
    const char* message = data + at;
    if (of->part_length == 0 && length - at >= bytes) {
      at += bytes;
    } else {
      at += take_part(of, message, length - at);
      if (of->part_length < bytes) break;
      of->part_length = 0;
      message = of->part;
    }
    memcpy(out + answered, message, bytes);
    answered += bytes;
  }
  return answered;
}

// False if the connection is closed.
static bool answer(struct message_connection* of, const char* data, size_t length) {
  for (size_t at = 0; at < length; at += ANSWERED_BYTES) {
    size_t some = length - at < ANSWERED_BYTES ? length - at : ANSWERED_BYTES;
    char* out = of->connection.server->state;
    struct iovec answers = {.iov_base = out, .iov_len = answer_messages(of, data + at, some, out)};
    if (answers.iov_len == 0 || pending_send(&of->pending, of->connection.watch.fd, &answers, 1)) continue;
    connection_close(&of->connection);
    return false;
  }
  return true;
}

static void flush(struct message_connection* of) {
  if (!pending_flush(&of->pending, of->connection.watch.fd)) {
    connection_close(&of->connection);
  } else if (of->pending.data == NULL) {
    connection_await(&of->connection, READABLE);
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct message_connection* of = (struct message_connection*)watch;
  if (of->pending.data != NULL) {
    flush(of);
    return;
  }
  for (int i = 0; i < SERVER_READS_PER_TURN; i++) {
    ptrdiff_t received = connection_receive(&of->connection);
    if (received <= 0) return;
    if (!answer(of, of->connection.server->buffer, (size_t)received)) return;
    if (of->pending.data != NULL) {
      connection_await(&of->connection, WRITABLE);
      return;
    }
    if (received < SERVER_RECEIVE_CAPACITY) return;
  }
}

const struct service service_messages = {.connection_size = sizeof(struct message_connection),
                                         .prepare = prepare,
                                         .on_ready = on_ready,
                                         .on_close = on_close};
