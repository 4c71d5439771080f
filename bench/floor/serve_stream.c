// Messages on a stream: sent back as they come (echo), one by one, as by a program that looks at each (messages), or
// forgotten (sink).
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "server.h"

// Messages that are answered at once: the peer is at work on them while the rest is answered. With both ends on one
// core all at once would be quicker, on two it is this.
enum { ANSWERED_BYTES = 4096 };

struct stream {
  struct connection connection;
  char* waiting;  // what the kernel has not taken yet
  size_t waiting_length;
  size_t waiting_sent;
  char* part;  // the beginning of a message that has not come whole
  size_t part_length;
};

static void close_stream(struct connection* connection) {
  struct stream* stream = (struct stream*)connection;
  free(stream->waiting);
  free(stream->part);
}

// False if the connection is closed.
static bool send_or_keep(struct stream* stream, const char* data, size_t length) {
  ptrdiff_t sent = stream->waiting == NULL ? connection_send(&stream->connection, data, length) : 0;
  if (sent < 0) return false;
  size_t rest = length - (size_t)sent;
  if (rest == 0) return true;
  stream->waiting = enlarge(stream->waiting, stream->waiting_length + rest);
  memcpy(stream->waiting + stream->waiting_length, data + sent, rest);
  stream->waiting_length += rest;
  connection_await(&stream->connection, WRITABLE);
  return true;
}

static bool flush(struct connection* connection) {
  struct stream* stream = (struct stream*)connection;
  size_t left = stream->waiting_length - stream->waiting_sent;
  ptrdiff_t sent = connection_send(connection, stream->waiting + stream->waiting_sent, left);
  if (sent < 0) return false;
  stream->waiting_sent += (size_t)sent;
  if ((size_t)sent < left) return false;
  free(stream->waiting);
  stream->waiting = NULL;
  stream->waiting_length = stream->waiting_sent = 0;
  return true;
}

// What one read brought goes out in one send.
static bool echo(struct connection* connection, const char* data, size_t length) {
  struct stream* stream = (struct stream*)connection;
  return send_or_keep(stream, data, length) && stream->waiting == NULL;
}

static void prepare(struct server* server) { server->state = allocate(ANSWERED_BYTES + server->settings->bytes, 1); }

// Adds to the message that has not come whole; returns how much of it.
static size_t take_part(struct stream* stream, const char* data, size_t length) {
  size_t bytes = stream->connection.server->settings->bytes;
  if (stream->part == NULL) stream->part = allocate(bytes, 1);
  size_t missing = bytes - stream->part_length;
  size_t taken = length < missing ? length : missing;
  memcpy(stream->part + stream->part_length, data, taken);
  stream->part_length += taken;
  return taken;
}

// Puts the answers to all messages that have come whole into `out`; returns their bytes.
static size_t answer_messages(struct stream* stream, const char* data, size_t length, char* out) {
  const size_t bytes = stream->connection.server->settings->bytes;
  size_t answered = 0;
  for (size_t at = 0; at < length;) {
    const char* message = data + at;
    if (stream->part_length == 0 && length - at >= bytes) {
      at += bytes;
    } else {
      at += take_part(stream, message, length - at);
      if (stream->part_length < bytes) break;
      stream->part_length = 0;
      message = stream->part;
    }
    memcpy(out + answered, message, bytes);
    answered += bytes;
  }
  return answered;
}

static bool answer(struct connection* connection, const char* data, size_t length) {
  struct stream* stream = (struct stream*)connection;
  char* out = connection->server->state;
  for (size_t at = 0; at < length; at += ANSWERED_BYTES) {
    size_t some = length - at < ANSWERED_BYTES ? length - at : ANSWERED_BYTES;
    size_t answered = answer_messages(stream, data + at, some, out);
    if (answered > 0 && !send_or_keep(stream, out, answered)) return false;
  }
  return stream->waiting == NULL;
}

const struct service service_echo = {
    .connection_size = sizeof(struct stream), .take = echo, .flush = flush, .close = close_stream};

const struct service service_messages = {.connection_size = sizeof(struct stream),
                                         .prepare = prepare,
                                         .take = answer,
                                         .flush = flush,
                                         .close = close_stream};

const struct service service_sink = {.connection_size = sizeof(struct connection)};
