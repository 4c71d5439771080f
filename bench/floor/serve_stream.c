// Messages on a stream: sent back as they come (echo), one by one, as by a program that looks at each (messages), or
// forgotten (sink).
#include <string.h>

#include "server.h"

// Messages that are answered at once: the peer is at work on them while the rest is answered. With both ends on one
// core all at once would be quicker, on two it is this.
enum { ANSWERED_BYTES = 4096 };

struct stream {
  struct connection connection;
  size_t sent;  // of a message whose answer the kernel has taken in part
};

static char* answers;

static void prepare(void) { answers = allocate(ANSWERED_BYTES + settings.bytes); }

// What one read brought goes out in one send.
static size_t echo(struct connection* connection, const char* data, size_t length) {
  ptrdiff_t sent = connection_send(connection, data, length);
  return sent > 0 ? (size_t)sent : 0;
}

static size_t answer(struct connection* connection, const char* data, size_t length) {
  struct stream* stream = (struct stream*)connection;
  const size_t bytes = settings.bytes;
  size_t used = 0;
  // As long as the next message has come whole.
  while (stream->sent + length - used >= bytes) {
    size_t answered = 0;
    size_t message = bytes - stream->sent;
    do {
      memcpy(answers + answered, data + used + answered, message);
      answered += message;
      message = bytes;
    } while (answered + bytes <= ANSWERED_BYTES && used + answered + bytes <= length);
    ptrdiff_t sent = connection_send(connection, answers, answered);
    if (sent <= 0) break;
    used += (size_t)sent;
    stream->sent = (stream->sent + (size_t)sent) % bytes;
    if (connection->waits) break;
  }
  return used;
}

static size_t forget(struct connection* connection, const char* data, size_t length) {
  (void)connection;
  (void)data;
  return length;
}

const struct service service_echo = {.connection_size = sizeof(struct connection), .take = echo};

const struct service service_messages = {.connection_size = sizeof(struct stream), .prepare = prepare, .take = answer};

const struct service service_sink = {.connection_size = sizeof(struct connection), .take = forget};
